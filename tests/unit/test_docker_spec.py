"""Hardening, as assertions on what the engine is asked for."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from runtime.config import EngineConfig
from runtime.engines.base import Egress, Limits, MachineSpec
from runtime.engines.docker.names import bridge_name
from runtime.engines.docker.reach import bridged_way, shared_way
from runtime.engines.docker.spec import (
    Attachment,
    create_body,
    is_root,
    network_body,
    own_volumes,
    resolver_of,
    volume_mounts,
)
from runtime.engines.docker.targets import is_guarded, paths_of
from runtime.errors import EngineRefused

LIMITS = Limits(
    memory_bytes=512 << 20,
    cpus=0.5,
    pids=200,
    tmpfs_bytes=64 << 20,
    shm_bytes=32 << 20,
    nofile=4096,
    disk_bytes=1 << 30,
    file_bytes=1 << 29,
)
SPEC = MachineSpec(
    machine_id="0" * 32,
    hostname="lab",
    image="playground/debian:12",
    limits=LIMITS,
    egress=Egress.NONE,
    deadline_seconds=3600,
    labels={"playground.session": "s1", "playground.instance": "forged"},
)
CONFIG = EngineConfig(
    instance="test", run_directory=Path("/run/p"), sandboxd=Path("/opt/sandboxd"), resolver=("9.9.9.9",)
)
SHARED = shared_way(Path("/run/p") / SPEC.machine_id, {"/etc/hosts": Path("/run/p/etc/hosts")}, "/srv")


def body(spec: MachineSpec = SPEC, *, user: str = "", **changes: Any) -> Mapping[str, Any]:
    way = changes.pop("way", SHARED)
    return create_body(spec, CONFIG, way, image_user=user, seccomp='{"x":1}', **changes)


def host(spec: MachineSpec = SPEC, **given: Any) -> Mapping[str, Any]:
    config: Mapping[str, Any] = body(spec, **given)["HostConfig"]
    return config


def test_never_privileged_and_no_devices() -> None:
    assert host()["Privileged"] is False
    assert host()["Devices"] == []
    assert host()["DeviceCgroupRules"] == []


def test_capabilities_of_an_image_that_runs_as_root() -> None:
    assert host()["CapDrop"] == ["ALL"]
    assert set(host()["CapAdd"]) == {
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "SETUID",
        "SETGID",
        "KILL",
        "NET_BIND_SERVICE",
    }


def test_an_ordinary_user_gets_no_capability() -> None:
    assert host(user="1000:1000")["CapAdd"] == []
    assert host(user="app")["CapAdd"] == []


@pytest.mark.parametrize(
    ("user", "root"), [("", True), ("0", True), ("root:x", True), ("0:0", True), ("1", False), ("rooty", False)]
)
def test_who_is_root(user: str, root: bool) -> None:
    assert is_root(user) is root


def test_no_new_privileges_unless_the_profile_lifts_it() -> None:
    assert "no-new-privileges:true" in host()["SecurityOpt"]
    lifted = dataclasses.replace(SPEC, new_privileges=True)
    assert "no-new-privileges:false" in host(lifted)["SecurityOpt"]


def test_our_seccomp_profile_goes_along_as_text() -> None:
    assert 'seccomp={"x":1}' in host()["SecurityOpt"]
    assert not any("unconfined" in option for option in host()["SecurityOpt"])


def test_namespaces_are_private() -> None:
    config = host()
    assert config["IpcMode"] == config["CgroupnsMode"] == "private"
    assert config["PidMode"] == config["UTSMode"] == config["UsernsMode"] == ""


def test_nothing_unmasks_proc() -> None:
    assert "MaskedPaths" not in host()
    assert "ReadonlyPaths" not in host()


def test_memory_without_swap_and_with_the_killer() -> None:
    assert host()["Memory"] == host()["MemorySwap"] == 512 << 20
    assert host()["OomKillDisable"] is False
    assert "OomScoreAdj" not in host()


def test_cpu_by_one_field_only() -> None:
    assert host()["NanoCpus"] == 500_000_000
    assert host()["CpuShares"] == 512
    assert not {"CpuQuota", "CpuPeriod", "CpusetCpus"} & set(host())


def test_processes_and_ulimits() -> None:
    assert host()["PidsLimit"] == 200
    limits = {limit["Name"]: limit["Hard"] for limit in host()["Ulimits"]}
    assert limits == {"nofile": 4096, "core": 0, "memlock": 65536, "fsize": 1 << 29}
    assert all(limit["Soft"] == limit["Hard"] for limit in host()["Ulimits"])


def test_tmpfs_has_a_size_and_no_setuid_and_no_devices() -> None:
    options = host()["Tmpfs"]["/tmp"].split(",")
    assert {"nosuid", "nodev", f"size={64 << 20}"} <= set(options)
    assert host()["ShmSize"] == 32 << 20


def test_the_disk_is_bounded_where_the_host_can() -> None:
    assert "StorageOpt" not in host()
    bounded = host(dataclasses.replace(SPEC, disk_quota=True))
    assert bounded["StorageOpt"] == {"size": str(1 << 30)}


def test_read_only_root_leaves_a_place_to_run() -> None:
    config = host(dataclasses.replace(SPEC, read_only_root=True))
    assert config["ReadonlyRootfs"] is True
    assert set(config["Tmpfs"]) == {"/tmp", "/run"}


def test_what_is_mounted_is_read_only() -> None:
    mounts = host()["Mounts"]
    assert all(mount["ReadOnly"] is True and mount["Type"] == "bind" for mount in mounts)
    assert {mount["Target"]: mount["Source"] for mount in mounts} == {
        "/.playground": f"/run/p/{SPEC.machine_id}/guest",
        "/etc/hosts": "/run/p/etc/hosts",
    }
    assert "Binds" not in host()
    assert "VolumesFrom" not in host()


def test_bridged_machines_can_store_nothing_outside_either() -> None:
    way = bridged_way("playground-test-abc")
    (mount,) = host(way=way)["Mounts"]
    assert mount["ReadOnly"] is True
    assert "size=4096" in host(way=way)["Tmpfs"]["/.playground-run"]


def test_no_egress_means_no_network_and_no_resolver() -> None:
    assert host()["NetworkMode"] == "none"
    assert host()["Dns"] == ["127.0.0.1"]


def test_a_network_comes_with_its_names_and_resolver() -> None:
    attachment = Attachment("playground-test-n", "db", ["a.example.com:198.51.100.1"], ["9.9.9.9"])
    config = host(attachment=attachment)
    assert config["NetworkMode"] == "playground-test-n"
    assert config["Dns"] == ["9.9.9.9"]
    assert config["ExtraHosts"] == ["a.example.com:198.51.100.1"]
    assert "PortBindings" not in config
    assert body(attachment=attachment)["NetworkingConfig"] == {
        "EndpointsConfig": {"playground-test-n": {"Aliases": ["db"]}}
    }


def test_only_the_internet_comes_with_a_resolver() -> None:
    assert resolver_of(Egress.INTERNET, CONFIG) == ("9.9.9.9",)
    assert resolver_of(Egress.ALLOWLIST, CONFIG) == resolver_of(Egress.NONE, CONFIG) == ("127.0.0.1",)
    assert resolver_of(Egress.INTERNET, dataclasses.replace(CONFIG, resolver=())) == ("127.0.0.1",)


def test_a_network_is_of_its_session_and_has_our_bridge() -> None:
    open_one = dataclasses.replace(SPEC, egress=Egress.INTERNET)
    network: Mapping[str, Any] = network_body(open_one, "test", SPEC.machine_id, "policy")
    assert network["Options"]["com.docker.network.bridge.name"] == bridge_name("test", SPEC.machine_id)
    assert network["EnableIPv6"] is network["Internal"] is False
    assert network["Labels"]["playground.instance"] == "test"
    assert network["Labels"]["playground.machine"] == SPEC.machine_id
    assert network["Labels"]["playground.session"] == "s1"
    assert network_body(SPEC, "test", SPEC.machine_id, "policy")["Internal"] is True


def test_nothing_is_logged_restarted_or_removed_by_the_engine() -> None:
    assert host()["LogConfig"]["Type"] == "none"
    assert host()["RestartPolicy"] == {"Name": "no"}
    assert host()["AutoRemove"] is False
    assert host()["Init"] is False


def test_sandboxd_takes_the_place_of_the_image_command() -> None:
    assert body()["Entrypoint"] == ["/.playground/sandboxd"]
    assert body()["Cmd"] == ["boot", "/.playground/boot", "/srv"]
    assert not {"Env", "User"} & set(body())
    assert body()["Healthcheck"] == {"Test": ["NONE"]}


def test_the_engine_enters_no_directory_of_the_images_choice() -> None:
    assert body()["WorkingDir"] == "/"
    assert body(way=bridged_way("v", "/proc/self/fd/7"))["WorkingDir"] == "/"


def test_volumes_of_an_image_are_in_memory() -> None:
    (mount,) = volume_mounts(SPEC, CONFIG, SHARED, ["/data/", "/a/../data", "/tmp", "/etc/hosts"])
    assert (mount["Type"], mount["Target"]) == ("volume", "/data")
    options: Any = mount["VolumeOptions"]
    assert options["Labels"]["playground.machine"] == SPEC.machine_id
    assert options["DriverConfig"]["Options"]["type"] == "tmpfs"
    assert f"size={64 << 20}" in options["DriverConfig"]["Options"]["o"].split(",")


@pytest.mark.parametrize(
    "path", ["/", "", "/proc", "/x/../proc/sys", "//dev", "/sys/fs", "/.playground", "/.playground/x"]
)
def test_volumes_where_no_image_may_have_one(path: str) -> None:
    with pytest.raises(EngineRefused, match="volume"):
        own_volumes([path])


def test_an_image_has_few_volumes() -> None:
    assert len(own_volumes([f"/v{number}" for number in range(16)])) == 16
    with pytest.raises(EngineRefused, match="17 volumes"):
        own_volumes([f"/v{number}" for number in range(17)])


def test_everything_above_a_mount_is_looked_at() -> None:
    paths = paths_of(host(way=shared_way(Path("/run/p"), {"/srv/a/data": Path("/x")})))
    assert {"/srv", "/srv/a", "/srv/a/data", "/tmp", "/.playground", "/dev", "/dev/shm", "/proc", "/etc"} <= paths
    assert "/" not in paths


@pytest.mark.parametrize(
    ("target", "guarded"),
    [("/proc", True), ("/proc/1", True), ("/dev/shm", True), ("/process", False), ("/srv", False)],
)
def test_where_no_link_may_lead(target: str, guarded: bool) -> None:
    assert is_guarded(target) is guarded


def test_labels_say_whose_it_is_and_cannot_be_forged() -> None:
    labels = body()["Labels"]
    assert labels["playground.instance"] == "test"
    assert labels["playground.machine"] == SPEC.machine_id
    assert labels["playground.session"] == "s1"


def test_body_is_json() -> None:
    assert json.loads(json.dumps(body())) == body()


def test_the_rate_of_writing_needs_a_disk() -> None:
    def asked(rate: int, disk: Path | None) -> object:
        spec = dataclasses.replace(SPEC, limits=dataclasses.replace(LIMITS, write_bytes_per_second=rate))
        made: Any = create_body(spec, CONFIG, SHARED, image_user="", seccomp=None, disk=disk)
        return made["HostConfig"].get("BlkioDeviceWriteBps")

    assert asked(1000, Path("/dev/vda")) == [{"Path": "/dev/vda", "Rate": 1000}]
    assert asked(1000, None) is None
    assert asked(0, Path("/dev/vda")) is None

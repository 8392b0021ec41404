"""What a private engine's log has to say before its networks are mended or set aside, and what is done to them."""

from pathlib import Path

import pytest

from runtime.engines.docker.daemon import PANIC_STATUS, made_bridges, mend, panicked_over_networks

WARNING = 'time="2026-11-24T22:58:19Z" level=warning msg="Your kernel does not support cgroup blkio weight"\n'
PANIC = """panic: runtime error: index out of range [0] with length 0

goroutine 1 [running]:
github.com/docker/libnetwork.(*controller).reservePools(0x55f320aa1e70?)
\t/build/docker.io-20.10.24+dfsg1/_build/src/github.com/docker/libnetwork/controller.go:956 +0xb65
github.com/docker/libnetwork.New({0xc00032d500, 0xa, 0x10})
\t/build/docker.io-20.10.24+dfsg1/_build/src/github.com/docker/libnetwork/controller.go:245 +0x757
github.com/docker/docker/daemon.(*Daemon).initNetworkController(0xc000a941e0, 0xc00028c100, 0xc0004f1290)
\t/build/docker.io-20.10.24+dfsg1/_build/src/github.com/docker/docker/daemon/daemon_unix.go:855 +0x65
"""
ELSEWHERE = PANIC.replace("github.com/docker/libnetwork.New(", "github.com/docker/docker/volume.New(")
BEHIND = ELSEWHERE + "\ngoroutine 7 [select]:\ngithub.com/docker/libnetwork.New({0xc00032d500})\n"


@pytest.mark.parametrize(
    "prefix", ["docker/libnetwork", "docker/docker/libnetwork", "docker/docker/vendor/github.com/docker/libnetwork"]
)
def test_a_panic_at_the_store_of_networks(prefix: str) -> None:
    assert panicked_over_networks(PANIC_STATUS, (WARNING + PANIC.replace("docker/libnetwork.", f"{prefix}.")).encode())


@pytest.mark.parametrize(
    ("status", "log"),
    [
        (1, PANIC),
        (-9, PANIC),
        (PANIC_STATUS, WARNING),
        (PANIC_STATUS, ELSEWHERE),
        (PANIC_STATUS, BEHIND),
        (PANIC_STATUS, WARNING.replace("Your", PANIC.replace("\n", "\\n"))),
        (PANIC_STATUS, ""),
    ],
)
def test_nothing_else(status: int, log: str) -> None:
    assert not panicked_over_networks(status, log.encode())


def test_bridges_that_somebody_else_made_stay() -> None:
    record = b'\x03{"AddressIPv4":"10.0.0.1/28","BridgeIfaceCreator":%d,"BridgeName":"%s","Mtu":0}docker/network/v1.0/'
    store = record % (2, b"pgc5f701c8b4") + record % (1, b"pnrcdtueqv5auzx") + record % (1, b"br-b26f70a8dd98")
    assert made_bridges(store * 2) == ["br-b26f70a8dd98", "pnrcdtueqv5auzx"]
    assert made_bridges(record % (1, b"../../etc")) == []


ADDRESSES = rb'"ipamV4Config":"[{\"PreferredPool\":\"10.0.0.0/28\"}]"'
INFO = rb',"ipamV4Info":"[{\"PoolID\":\"LocalDefault/10.0.0.0/28\"}]"'
RECORD = (
    b'{"id":"b26f70a8","inDelete":%s,"ingress":false,"internal":false,"ipamOptions":%s,"ipamType":"default",'
    b'%s,"labels":{"a":"b"}}'
)


@pytest.mark.parametrize("options", [b"{}", b"null"])
def test_a_torn_network_that_is_to_go_forgets_what_it_asked_for(options: bytes, tmp_path: Path) -> None:
    torn = RECORD % (b"true", options, ADDRESSES)
    whole = RECORD % (b"false", options, ADDRESSES + INFO)
    store = tmp_path / "local-kv.db"
    store.write_bytes(whole + torn + whole + torn)
    assert mend(store)
    forgotten = torn.replace(b"ipamV4Config", b"ipamV4Forgot")
    assert store.read_bytes() == whole + forgotten + whole + forgotten
    assert not mend(store)


@pytest.mark.parametrize(("in_delete", "addresses"), [(b"false", ADDRESSES), (b"true", ADDRESSES + INFO)])
def test_other_networks_stay_as_they_are(in_delete: bytes, addresses: bytes, tmp_path: Path) -> None:
    record = RECORD % (in_delete, b"{}", addresses)
    store = tmp_path / "local-kv.db"
    store.write_bytes(record)
    assert not mend(store)
    assert store.read_bytes() == record

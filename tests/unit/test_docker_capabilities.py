from runtime.engines.docker.capabilities import describe

INFO = {
    "SecurityOptions": ["name=seccomp,profile=default", "name=userns", "name=apparmor"],
    "CgroupVersion": "2",
    "MemoryLimit": True,
    "SwapLimit": False,
    "PidsLimit": True,
    "CpuCfsQuota": True,
    "OSType": "linux",
    "Driver": "overlay2",
}


def test_what_the_engine_says_it_does() -> None:
    seen = describe(INFO, {"Version": "20.10.24"}, profile=True)
    assert seen.version == "20.10.24"
    assert {item.name for item in seen.items if item.available} == {
        "user_namespace",
        "seccomp",
        "lsm",
        "cgroup_v2",
        "memory_limit",
        "pids_limit",
        "cpu_limit",
        "pause",
    }


def test_an_engine_that_says_nothing_has_nothing() -> None:
    assert not any(item.available for item in describe({}, {}, profile=True).items)


def test_what_was_not_probed_says_so() -> None:
    details = {item.name: item.detail for item in describe(INFO, {}, profile=False).items}
    assert details["disk_quota"].startswith("not probed")
    assert details["seccomp"] == "the engine's default profile"


def test_a_rootless_engine_has_a_user_namespace() -> None:
    assert describe({"SecurityOptions": ["name=rootless"]}, {}, profile=True).has("user_namespace")

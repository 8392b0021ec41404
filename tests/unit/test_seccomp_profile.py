import json
from pathlib import Path
from typing import Any

import pytest

PROFILE: dict[str, Any] = json.loads((Path(__file__).parents[2] / "deploy/seccomp/machine.json").read_text())
ALLOWED = [rule for rule in PROFILE["syscalls"] if rule["action"] == "SCMP_ACT_ALLOW"]
FREE = {name for rule in ALLOWED if not rule.get("args") for name in rule["names"]}
REFUSED = """
    io_uring_setup io_uring_enter io_uring_register io_setup io_submit userfaultfd keyctl add_key request_key bpf
    perf_event_open
    unshare setns clone3 socketcall mount umount2 pivot_root chroot open_by_handle_at kexec_load init_module
    finit_module delete_module reboot swapon swapoff iopl ioperm modify_ldt quotactl acct
    settimeofday clock_settime sethostname setdomainname syslog fsopen fsmount move_mount open_tree
"""


def test_what_is_not_named_is_refused() -> None:
    assert PROFILE["defaultAction"] == "SCMP_ACT_ERRNO"
    assert {rule["action"] for rule in PROFILE["syscalls"]} == {"SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO"}


@pytest.mark.parametrize("name", REFUSED.split())
def test_not_allowed_in_any_form(name: str) -> None:
    assert all(name not in rule["names"] for rule in ALLOWED)


@pytest.mark.parametrize("name", ["socket", "socketpair", "clone", "personality"])
def test_allowed_by_argument_alone(name: str) -> None:
    assert name not in FREE
    assert any(name in rule["names"] for rule in ALLOWED)


def test_socket_families_are_a_list_of_what_is_allowed() -> None:
    rules = [rule["args"] for rule in ALLOWED if "socket" in rule["names"]]
    assert {argument["op"] for arguments in rules for argument in arguments} == {"SCMP_CMP_EQ"}
    allowed = {tuple((argument["index"], argument["value"]) for argument in arguments) for arguments in rules}
    internet = {((0, family), (2, protocol)) for family, icmp in ((2, 1), (10, 58)) for protocol in (0, icmp, 6, 17)}
    assert allowed == {((0, 1),), *internet, ((0, 16), (2, 0)), ((0, 16), (2, 4))}


def test_clone_makes_no_namespace() -> None:
    (rule,) = [rule for rule in ALLOWED if "clone" in rule["names"]]
    (argument,) = rule["args"]
    assert argument == {"index": 0, "value": 0x7E020000, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}


def test_libc_falls_back_where_no_filter_can_look() -> None:
    (rule,) = [rule for rule in PROFILE["syscalls"] if "clone3" in rule["names"]]
    assert (rule["action"], rule["errnoRet"]) == ("SCMP_ACT_ERRNO", 38)


def test_no_second_architecture_whose_numbers_mean_something_else() -> None:
    assert {entry["architecture"] for entry in PROFILE["archMap"]} == {"SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"}
    assert not any(entry["subArchitectures"] for entry in PROFILE["archMap"])


def test_each_name_once() -> None:
    names = [name for rule in ALLOWED if not rule.get("args") for name in rule["names"]]
    assert len(names) == len(set(names))

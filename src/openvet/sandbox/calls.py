"""Numbers of Linux's system calls: name -> (x86-64, aarch64), -1 where an architecture has none of that name.

Source: ``arch/x86/entry/syscalls/syscall_64.tbl`` and ``include/uapi/asm-generic/unistd.h`` of Linux.
"""

from __future__ import annotations

from typing import Final

__all__ = ["ATTRIBUTES", "FILES", "FREE", "NETWORK", "REFUSED", "SPECIAL", "name_of"]

#: What a framework computes, waits and reads with; nothing here names a file to change, a process or an address.
FREE: Final[dict[str, tuple[int, int]]] = {
    "accept": (43, 202), "accept4": (288, 242), "access": (21, -1), "alarm": (37, -1), "arch_prctl": (158, -1), "brk": (12, 214),
    "capget": (125, 90), "chdir": (80, 49), "clock_getres": (229, 114), "clock_gettime": (228, 113), "clock_nanosleep": (230, 115),
    "close": (3, 57), "copy_file_range": (326, 285), "dup": (32, 23), "dup2": (33, -1), "dup3": (292, 24), "epoll_create": (213, -1),
    "epoll_create1": (291, 20), "epoll_ctl": (233, 21), "epoll_pwait": (281, 22), "epoll_wait": (232, -1), "eventfd": (284, -1),
    "eventfd2": (290, 19), "exit": (60, 93), "exit_group": (231, 94), "faccessat": (269, 48), "faccessat2": (439, 439),
    "fadvise64": (221, 223), "fallocate": (285, 47), "fchdir": (81, 50), "fdatasync": (75, 83), "flock": (73, 32), "fstat": (5, 80),
    "fstatfs": (138, 44), "fsync": (74, 82), "ftruncate": (77, 46), "futex": (202, 98), "get_mempolicy": (239, 236),
    "get_robust_list": (274, 100), "getcpu": (309, 168), "getcwd": (79, 17), "getdents": (78, -1), "getdents64": (217, 61),
    "getegid": (108, 177), "geteuid": (107, 175), "getgid": (104, 176), "getgroups": (115, 158), "getitimer": (36, 102),
    "getpeername": (52, 205), "getpgid": (121, 155), "getpgrp": (111, -1), "getpid": (39, 172), "getppid": (110, 173),
    "getpriority": (140, 141), "getrandom": (318, 278), "getresgid": (120, 150), "getresuid": (118, 148), "getrlimit": (97, 163),
    "getrusage": (98, 165), "getsid": (124, 156), "getsockname": (51, 204), "getsockopt": (55, 209), "gettid": (186, 178),
    "gettimeofday": (96, 169), "getuid": (102, 174), "listen": (50, 201), "lseek": (8, 62), "lstat": (6, -1), "madvise": (28, 233),
    "mbind": (237, 235), "membarrier": (324, 283), "mincore": (27, 232), "mlock": (149, 228), "mmap": (9, 222), "mprotect": (10, 226),
    "mremap": (25, 216), "msync": (26, 227), "munlock": (150, 229), "munmap": (11, 215), "nanosleep": (35, 101), "newfstatat": (262, 79),
    "pause": (34, -1), "pipe": (22, -1), "pipe2": (293, 59), "poll": (7, -1), "ppoll": (271, 73), "pread64": (17, 67), "preadv": (295, 69),
    "preadv2": (327, 286), "pselect6": (270, 72), "pwrite64": (18, 68), "pwritev": (296, 70), "pwritev2": (328, 287), "read": (0, 63),
    "readahead": (187, 213), "readlink": (89, -1), "readlinkat": (267, 78), "readv": (19, 65), "recvfrom": (45, 207),
    "recvmmsg": (299, 243), "recvmsg": (47, 212), "restart_syscall": (219, 128), "rseq": (334, 293), "rt_sigaction": (13, 134),
    "rt_sigpending": (127, 136), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139), "rt_sigsuspend": (130, 133),
    "rt_sigtimedwait": (128, 137), "sched_get_priority_max": (146, 125), "sched_get_priority_min": (147, 126),
    "sched_getaffinity": (204, 123), "sched_getattr": (315, 275), "sched_getparam": (143, 121), "sched_getscheduler": (145, 120),
    "sched_yield": (24, 124), "select": (23, -1), "sendfile": (40, 71), "set_mempolicy": (238, 237),
    "set_robust_list": (273, 99), "set_tid_address": (218, 96), "setitimer": (38, 103), "shutdown": (48, 210), "sigaltstack": (131, 132),
    "socketpair": (53, 199), "stat": (4, -1), "statfs": (137, 43), "statx": (332, 291), "sync_file_range": (277, 84), "sysinfo": (99, 179),
    "time": (201, -1), "timerfd_create": (283, 85), "timerfd_gettime": (287, 87), "timerfd_settime": (286, 86), "times": (100, 153),
    "umask": (95, 166), "uname": (63, 160), "wait4": (61, 260), "waitid": (247, 95), "write": (1, 64),
    "writev": (20, 66),
}  # fmt: skip

#: What names a file to open, make, change or remove: told to the parent, and left to Landlock and the namespaces.
FILES: Final[dict[str, tuple[int, int]]] = {
    "chmod": (90, -1), "chown": (92, -1), "creat": (85, -1), "fchmod": (91, 52), "fchmodat": (268, 53), "fchown": (93, 55),
    "fchownat": (260, 54), "fsetxattr": (190, 7), "lchown": (94, -1), "link": (86, -1), "linkat": (265, 37), "lsetxattr": (189, 6),
    "mkdir": (83, -1), "mkdirat": (258, 34), "mknod": (133, -1), "mknodat": (259, 33), "open": (2, -1), "openat": (257, 56),
    "openat2": (437, 437), "rename": (82, -1), "renameat": (264, 38), "renameat2": (316, 276), "rmdir": (84, -1), "setxattr": (188, 5),
    "symlink": (88, -1), "symlinkat": (266, 36), "truncate": (76, 45), "unlink": (87, -1), "unlinkat": (263, 35), "utimensat": (280, 88),
}  # fmt: skip

#: Of these, what Landlock does not keep away: feigned, and refused where nobody is told.
ATTRIBUTES: Final = frozenset(
    {
        "chmod",
        "chown",
        "fchmod",
        "fchmodat",
        "fchown",
        "fchownat",
        "fsetxattr",
        "lchown",
        "lsetxattr",
        "setxattr",
        "utimensat",
    }
)

#: What asks for a network: told to the parent, which answers in the network's place.
NETWORK: Final[dict[str, tuple[int, int]]] = {
    "bind": (49, 200), "connect": (42, 203), "sendmmsg": (307, 269), "sendmsg": (46, 211), "sendto": (44, 206), "setsockopt": (54, 208),
    "socket": (41, 198),
}  # fmt: skip

#: What starts, watches or changes processes, and opens other doors of the kernel: told to the parent, and refused.
REFUSED: Final[dict[str, tuple[int, int]]] = {
    "acct": (163, 89), "add_key": (248, 217), "adjtimex": (159, 171), "bpf": (321, 280), "capset": (126, 91), "chroot": (161, 51),
    "clock_adjtime": (305, 266), "clock_settime": (227, 112), "delete_module": (176, 106), "execve": (59, 221), "execveat": (322, 281),
    "fanotify_init": (300, 262), "finit_module": (313, 273), "fork": (57, -1), "fsconfig": (431, 431), "fsmount": (432, 432),
    "fsopen": (430, 430), "init_module": (175, 105), "inotify_init": (253, -1), "inotify_init1": (294, 26), "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427), "io_uring_setup": (425, 425), "ioperm": (173, -1), "iopl": (172, -1), "kcmp": (312, 272),
    "kexec_file_load": (320, 294), "kexec_load": (246, 104), "keyctl": (250, 219), "landlock_add_rule": (445, 445),
    "landlock_create_ruleset": (444, 444), "landlock_restrict_self": (446, 446), "lookup_dcookie": (212, 18), "memfd_create": (319, 279),
    "memfd_secret": (447, 447), "mount": (165, 40), "mount_setattr": (442, 442), "move_mount": (429, 429), "mq_open": (240, 180),
    "msgget": (68, 186), "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "open_tree": (428, 428),
    "perf_event_open": (298, 241), "personality": (135, 92), "pidfd_getfd": (438, 438), "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424), "pivot_root": (155, 41), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "ptrace": (101, 117), "quotactl": (179, 60), "reboot": (169, 142), "request_key": (249, 218), "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240), "seccomp": (317, 277), "semget": (64, 190), "setdomainname": (171, 162), "setfsgid": (123, 152),
    "setfsuid": (122, 151), "setgid": (106, 144), "setgroups": (116, 159), "sethostname": (170, 161), "setns": (308, 268),
    "setpgid": (109, 154), "setregid": (114, 143), "setresgid": (119, 149), "setresuid": (117, 147), "setreuid": (113, 145),
    "setsid": (112, 157), "settimeofday": (164, 170), "setuid": (105, 146), "shmget": (29, 194), "swapoff": (168, 225),
    "swapon": (167, 224), "syslog": (103, 116), "tkill": (200, 130), "umount2": (166, 39), "unshare": (272, 97), "userfaultfd": (323, 282),
    "vfork": (58, -1),
}  # fmt: skip

#: What is allowed by its arguments.
SPECIAL: Final[dict[str, tuple[int, int]]] = {
    "clone": (56, 220), "clone3": (435, 435), "fcntl": (72, 25), "ioctl": (16, 29), "kill": (62, 129), "prctl": (157, 167),
    "prlimit64": (302, 261), "sched_setaffinity": (203, 122), "tgkill": (234, 131),
}  # fmt: skip


def name_of(number: int, machine: int) -> str:
    """What a call is called on the machine of that column; ``call N`` where it is none of these."""
    for table in (FILES, NETWORK, REFUSED, SPECIAL, FREE):
        for name, numbers in table.items():
            if numbers[machine] == number:
                return name
    return f"call {number}"

"""The system calls that a reader of strangers' files is denied, with their numbers: a table for `confine`.

Numbers are those of Linux's `asm/unistd_64.h` (x86_64) and `asm-generic/unistd.h` (aarch64); from 424 on
both have the same. A call that a machine does not have has no number there.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Rule = Literal["always", "unless own process", "if any bit", "unless any bit", "if one of", "if given"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """When a call fails: always, or by one of its arguments (counted from 0)."""

    __test__ = False  # no test of a test suite

    rule: Rule = "always"
    argument: int = 0
    values: tuple[int, ...] = ()
    about_files: bool = False
    """Whether it is about writing files, which a caller may allow."""


_CLONE_THREAD: Final = 0x00010000
_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_TIOCSTI, _TIOCLINUX, _FIOSETOWN, _SIOCSPGRP = 0x5412, 0x541C, 0x8901, 0x8902  # typing into a terminal; signals on input
_F_SETOWN, _F_SETOWN_EX = 8, 15
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_PTRACER = 1, 4, 0x59616D61

_ALWAYS: Final = (
    # the network
    *("socket", "socketpair", "connect", "bind", "listen", "accept", "accept4", "sendto", "sendmsg", "sendmmsg"),
    # other programs and processes
    *("execve", "execveat", "fork", "vfork", "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "process_mrelease", "kcmp", "perf_event_open"),
    *("pidfd_open", "pidfd_getfd", "pidfd_send_signal", "setns", "unshare", "migrate_pages", "move_pages", "setpriority"),
    *("shmget", "shmat", "msgget", "semget", "mq_open"),
    # the machine
    *("mount", "umount2", "pivot_root", "chroot", "open_tree", "move_mount", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr", "swapon", "swapoff", "quotactl", "quotactl_fd"),
    *("reboot", "acct", "syslog", "iopl", "ioperm", "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "sethostname", "setdomainname", "personality", "modify_ldt", "uselib", "lookup_dcookie"),
    *("init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "nfsservctl", "sysfs", "vhangup"),
    # what has often been a way into the kernel, and no reader needs
    *("bpf", "io_uring_setup", "io_uring_enter", "io_uring_register", "keyctl", "add_key", "request_key", "userfaultfd", "memfd_create", "memfd_secret", "fanotify_init"),
    *("inotify_init", "inotify_init1", "open_by_handle_at", "name_to_handle_at", "vmsplice", "setrlimit", "seccomp", "landlock_create_ruleset"),
    *("setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setfsuid", "setfsgid", "setgroups", "capset"),
)
_FILES: Final = (
    *("creat", "unlink", "unlinkat", "rename", "renameat", "renameat2", "mkdir", "mkdirat", "rmdir", "mknod", "mknodat", "link", "linkat", "symlink", "symlinkat", "truncate", "ftruncate", "fallocate"),
    *("chmod", "fchmod", "fchmodat", "chown", "fchown", "lchown", "fchownat", "utime", "utimes", "futimesat", "utimensat"),
    *("setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr", "fremovexattr"),
)

DENIED: Final[Mapping[str, Test]] = {
    **dict.fromkeys(_ALWAYS, Test()),
    **dict.fromkeys(_FILES, Test(about_files=True)),
    "open": Test(rule="if any bit", argument=1, values=(_WRITING,), about_files=True),
    "openat": Test(rule="if any bit", argument=2, values=(_WRITING,), about_files=True),
    "clone": Test(rule="unless any bit", values=(_CLONE_THREAD,)),
    "kill": Test(rule="unless own process"),
    "tkill": Test(rule="unless own process"),
    "tgkill": Test(rule="unless own process"),
    "rt_sigqueueinfo": Test(rule="unless own process"),
    "rt_tgsigqueueinfo": Test(rule="unless own process"),
    "prlimit64": Test(rule="if given", argument=2),
    "ioctl": Test(rule="if one of", argument=1, values=(_TIOCSTI, _TIOCLINUX, _FIOSETOWN, _SIOCSPGRP)),
    "fcntl": Test(rule="if one of", argument=1, values=(_F_SETOWN, _F_SETOWN_EX)),
    "prctl": Test(rule="if one of", values=(_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_PTRACER)),
}
"""Each of these fails with EPERM."""

MISSING: Final = ("clone3", "openat2")
"""Their arguments stand where no filter can look: they fail with ENOSYS, and libraries take the older call."""


def _numbers(text: str) -> dict[str, int]:
    return {name: int(number) for name, _, number in (pair.partition("=") for pair in text.split())}


_BOTH: Final = _numbers("""
    pidfd_send_signal=424 io_uring_setup=425 io_uring_enter=426 io_uring_register=427 open_tree=428 move_mount=429 fsopen=430 fsconfig=431 fsmount=432 fspick=433
    pidfd_open=434 clone3=435 openat2=437 pidfd_getfd=438 process_madvise=440 mount_setattr=442 quotactl_fd=443 landlock_create_ruleset=444 memfd_secret=447 process_mrelease=448
""")
NUMBERS: Final[Mapping[str, Mapping[str, int]]] = {
    "x86_64": _BOTH | _numbers("""
        open=2 ioctl=16 shmget=29 shmat=30 socket=41 connect=42 accept=43 sendto=44 sendmsg=46 bind=49 listen=50 socketpair=53 clone=56 fork=57 vfork=58 execve=59 kill=62 semget=64
        msgget=68 fcntl=72 truncate=76 ftruncate=77 rename=82 mkdir=83 rmdir=84 creat=85 link=86 unlink=87 symlink=88 chmod=90 fchmod=91 chown=92 fchown=93 lchown=94 ptrace=101 syslog=103
        setuid=105 setgid=106 setreuid=113 setregid=114 setgroups=116 setresuid=117 setresgid=119 setfsuid=122 setfsgid=123 capset=126 rt_sigqueueinfo=129 utime=132 mknod=133 uselib=134
        personality=135 sysfs=139 setpriority=141 vhangup=153 modify_ldt=154 pivot_root=155 prctl=157 adjtimex=159 setrlimit=160 chroot=161 acct=163 settimeofday=164 mount=165 umount2=166
        swapon=167 swapoff=168 reboot=169 sethostname=170 setdomainname=171 iopl=172 ioperm=173 init_module=175 delete_module=176 quotactl=179 nfsservctl=180 setxattr=188 lsetxattr=189
        fsetxattr=190 removexattr=197 lremovexattr=198 fremovexattr=199 tkill=200 lookup_dcookie=212 clock_settime=227 tgkill=234 utimes=235 mq_open=240 kexec_load=246 add_key=248
        request_key=249 keyctl=250 inotify_init=253 migrate_pages=256 openat=257 mkdirat=258 mknodat=259 fchownat=260 futimesat=261 unlinkat=263 renameat=264 linkat=265 symlinkat=266
        fchmodat=268 unshare=272 vmsplice=278 move_pages=279 utimensat=280 fallocate=285 accept4=288 inotify_init1=294 rt_tgsigqueueinfo=297 perf_event_open=298 fanotify_init=300
        prlimit64=302 name_to_handle_at=303 open_by_handle_at=304 clock_adjtime=305 sendmmsg=307 setns=308 process_vm_readv=310 process_vm_writev=311 kcmp=312 finit_module=313
        renameat2=316 seccomp=317 memfd_create=319 kexec_file_load=320 bpf=321 execveat=322 userfaultfd=323
    """),
    "aarch64": _BOTH | _numbers("""
        setxattr=5 lsetxattr=6 fsetxattr=7 removexattr=14 lremovexattr=15 fremovexattr=16 lookup_dcookie=18 fcntl=25 inotify_init1=26 ioctl=29 mknodat=33 mkdirat=34 unlinkat=35
        symlinkat=36 linkat=37 renameat=38 umount2=39 mount=40 pivot_root=41 nfsservctl=42 truncate=45 ftruncate=46 fallocate=47 chroot=51 fchmod=52 fchmodat=53 fchownat=54 fchown=55
        openat=56 vhangup=58 quotactl=60 vmsplice=75 utimensat=88 acct=89 capset=91 personality=92 unshare=97 kexec_load=104 init_module=105 delete_module=106 clock_settime=112 syslog=116
        ptrace=117 kill=129 tkill=130 tgkill=131 rt_sigqueueinfo=138 setpriority=140 reboot=142 setregid=143 setgid=144 setreuid=145 setuid=146 setresuid=147 setresgid=149 setfsuid=151
        setfsgid=152 setgroups=159 sethostname=161 setdomainname=162 setrlimit=164 prctl=167 settimeofday=170 adjtimex=171 mq_open=180 msgget=186 semget=190 shmget=194 shmat=196 socket=198
        socketpair=199 bind=200 listen=201 accept=202 connect=203 sendto=206 sendmsg=211 add_key=217 request_key=218 keyctl=219 clone=220 execve=221 swapon=224 swapoff=225
        migrate_pages=238 move_pages=239 rt_tgsigqueueinfo=240 perf_event_open=241 accept4=242 prlimit64=261 fanotify_init=262 name_to_handle_at=264 open_by_handle_at=265 clock_adjtime=266
        setns=268 sendmmsg=269 process_vm_readv=270 process_vm_writev=271 kcmp=272 finit_module=273 renameat2=276 seccomp=277 memfd_create=279 bpf=280 execveat=281 userfaultfd=282
        kexec_file_load=294
    """),
}

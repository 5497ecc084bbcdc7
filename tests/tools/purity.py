#!/usr/bin/python3
"""purity.py BUILD - the arrow rule and the purity of the pure folders.

1. `nm -u` over each pure archive: every undefined symbol must be on the list of
   what pure code may call: memory, strings, arithmetic, and the calculating
   parts of the libraries. So a socket, a clock, a thread, the environment, a
   file, printf and a source of randomness are all refused, and so is whatever
   nobody thought of.
2. Every #include of our own goes along the arrow: base <- wire <- seal <- media <-
   flow <- hub, relay, client core <- edges.

One line a check: "ok NAME" or "FAIL NAME: why".
"""
import pathlib
import re
import subprocess
import sys

PURE = ["base", "wire", "seal", "flow", "share", "media", "bus", "store", "hub", "relay", "lab", "classics_core",
        "client_core"]

MAY_CALL = re.compile(r"""^(
      _GLOBAL_OFFSET_TABLE_ | __stack_chk_fail | __assert_fail | abort
    | malloc | calloc | realloc | free | explicit_bzero
    | (__)?(mem|str|wcs)[a-z]+(_chk)? | __ctype_[a-z_]+ | is[a-z]+ | to(lower|upper)
    | __isoc99_sscanf | (__)?v?snprintf(_chk)?             # into memory only
    | (__isoc\d+_)?strto[a-z]+ | ato[il]+ | qsort | bsearch | abs | labs | llabs | ldiv | lldiv
    | (sin|cos|tan|exp|exp2|log|log2|log10|log1p|expm1|pow|sqrt|cbrt|floor|ceil|round|lround|llround|lrint|rint|fabs|fmod
       |fmin|fmax|hypot|atan2)f?
    | __(u?(div|mod|mul)[a-z]*\d|popcount[a-z0-9]*)        # libgcc
    | __stop_\w+ | __start_\w+
    | gmtime_r | timegm                                      # arithmetic on a time that is given
    | protobuf_c_\w+ | roost__\w+ | llhttp_\w+
    | EVP_\w+ | BN_\w+ | HMAC\w* | SHA\d+\w* | CRYPTO_memcmp | OPENSSL_cleanse | OSSL_PARAM_\w+ | OSSL_KDF_\w+ | ERR_clear_error
    | argon2\w+ | __gmp\w+
    | crypto_(core|hash|scalarmult|sign)_?\w*                # libsodium
    | (u|u8|unorm2|uspoof|uset|ucol|ubrk|uscript|u_\w+)_\w+
)$""", re.X)
# The libraries' calls that are not arithmetic after all.
NEVER = re.compile(r"^(crypto_\w+_random|crypto_(sign|box)_keypair|randombytes|EVP_RAND|BN_\w*rand|u_(fopen|fclose|printf|fprintf|init|cleanup)|strerror|strftime_l$|memfd)")

ARROW = {
    "base": ["base"],
    "wire": ["base", "wire", "proto"],
    "seal": ["base", "wire", "seal"],
    # What media shares a session with, and how much its path carries.
    "flow": ["base", "wire", "seal", "media", "flow"],
    "media": ["base", "wire", "seal", "media"],
    "lab": ["base", "wire", "seal", "flow", "lab"],
    "share": ["base", "wire", "seal", "share"],
    # An edge: what clients and server have in common at the disk.
    "disk": ["base", "wire", "seal", "share", "disk"],
    # An edge: what servers, clients and labs have in common at the socket.
    "net": ["base", "wire", "flow", "lab", "net"],
    # An edge: devices, codecs, recordings.
    "av": ["base", "wire", "seal", "media", "av"],
    "bus": ["base", "bus"],
    "store": ["base", "wire", "store", "proto"],
    # The hub sees its store and its bus only through their headers.
    "hub": ["base", "wire", "seal", "hub", "proto", "store/store.h", "bus/bus.h"],
    "relay": ["base", "wire", "seal", "flow", "media", "relay"],
}
CORE = ["base", "wire", "seal", "flow", "share", "media", "client", "lab", "proto"]
INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^">]+)[">]', re.M)
# Headers of the system that a pure file has no use for.
IMPURE_HEADER = re.compile(r"^(sys/(socket|epoll|time|stat|mman|ioctl|un)\.h|netinet/.*|arpa/.*|netdb\.h|pthread\.h|threads\.h"
                           r"|unistd\.h|fcntl\.h|poll\.h|signal\.h|uv\.h|openssl/(ssl|rand|bio)\.h|sqlite3\.h|dirent\.h)$")


def core_files(src, folder, name):
    """The files of the pure core of a folder that has edges too, as its meson.build lists them."""
    text = (src / folder / "meson.build").read_text()
    found = re.search(name + r"_lib\s*=\s*static_library\((.*?)\)\s*\n[a-z\n]", text + "\nx", re.S)
    return set(re.findall(r"'([\w/]+\.c)'", found.group(1))) if found else set()


def defined(archive):
    out = subprocess.run(["nm", "--defined-only", "-g", archive], capture_output=True, text=True).stdout
    return {line.split()[-1] for line in out.splitlines() if len(line.split()) == 3}


def wanted(archive):
    """(object, symbol) for each undefined symbol."""
    out = subprocess.run(["nm", "-u", archive], capture_output=True, text=True).stdout
    where = ""
    for line in out.splitlines():
        words = line.split()
        if line.endswith(".o:"):
            where = line[:-1]
        elif len(words) == 2 and words[0] in "Uw":
            yield where, words[1]


def check_archives(build):
    archives = {name: path for name in PURE for path in build.glob(f"src/**/lib{name}.a")}
    ours = set().union(*map(defined, archives.values()), *map(defined, build.glob("proto/*.a")))
    for name in PURE:
        if name not in archives:
            if any(pathlib.Path("src", name).glob("*.c")):
                print(f"FAIL archive.{name}: there is no lib{name}.a")
            continue
        bad = sorted({f"{obj}:{sym}" for obj, sym in wanted(archives[name])
                      if sym not in ours and (NEVER.match(sym) or not MAY_CALL.match(sym))
                      and not sym.startswith(("__asan", "__ubsan", "__tsan"))})
        print(f"FAIL archive.{name}: calls {' '.join(bad)}" if bad else f"ok archive.{name}")


def check_includes(src):
    cores = {"client": ("client", "client_core", CORE), "classics": ("lab/classics", "classics_core", ARROW["lab"])}
    for folder in sorted([*(p for p in src.iterdir() if p.is_dir()), src / "lab/classics"]):
        files = sorted([*folder.glob("*.c"), *folder.glob("*.h")])
        allowed = ARROW.get(folder.name)
        if folder.name in cores:
            place, name, allowed = cores[folder.name]
            core = core_files(src, place, name)
            files = [f for f in files if f.with_suffix(".c").name in core]
        if allowed is None or not files:
            continue
        bad = []
        for f in files:
            for inc in INCLUDE.findall(f.read_text()):
                top = inc.split("/")[0]
                ours = "/" in inc and (src / top).is_dir() or top == "proto"
                if ours and not any(inc == a or top == a for a in allowed):
                    bad.append(f"{f.name} includes {inc}")
                if folder.name not in ("store", "bus", "net", "disk", "av") and IMPURE_HEADER.match(inc):
                    bad.append(f"{f.name} includes <{inc}>")
        print(f"FAIL arrow.{folder.name}: {'; '.join(bad)}" if bad else f"ok arrow.{folder.name}")


if __name__ == "__main__":
    check_archives(pathlib.Path(sys.argv[1]))
    check_includes(pathlib.Path("src"))

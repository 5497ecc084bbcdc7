#!/usr/bin/python3
"""Does share/wireshark/roost.lua know every message of proto/roost.proto and every frame of src/wire/dgram.h,
by its number? Argument: the source directory. Exit status 1 and a line for each difference."""
import re
import sys

root = sys.argv[1] if len(sys.argv) > 1 else "."
wrong = []


def text(path):
    with open(f"{root}/{path}", encoding="utf-8") as f:
        return f.read()


def messages(name):
    body = re.search(r"message " + name + r" \{.*?oneof \w+ \{(.*?)\n  \}", text("proto/roost.proto"), re.S).group(1)
    return {int(n): word for word, n in re.findall(r"^\s*\w+ (\w+) = (\d+);", body, re.M)}


def table(lua, name):
    body = re.search(r"local " + name + r" = \{(.*?)\n\}", lua, re.S).group(1)
    return {int(n): word for n, word in re.findall(r'\[(\d+)\] = "(\w+)"', body)}


def compare(what, wanted, got):
    for n in sorted(set(wanted) | set(got)):
        if wanted.get(n) != got.get(n):
            wrong.append(f"{what} {n}: {wanted.get(n)}, in the dissector {got.get(n)}")
    return len(wanted)


lua = text("share/wireshark/roost.lua")
n = compare("ToServer", messages("ToServer"), table(lua, "to_server"))
n += compare("ToClient", messages("ToClient"), table(lua, "to_client"))
kinds = re.search(r"enum dgram_kind \{(.*?)DGRAM_KINDS", text("src/wire/dgram.h"), re.S).group(1)
names = re.search(r"local kinds = \{(.*?)\n\}", lua, re.S).group(1)
n += compare("frame", dict(enumerate(re.findall(r"DGRAM_(\w+)", kinds))), dict(enumerate(re.findall(r'"(\w+)"', names))))
print("\n".join(wrong) or f"{n} messages and frames compared, 0 differences")
sys.exit(bool(wrong))

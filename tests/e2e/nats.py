"""nats.py - two homes behind address translators, and the internet between them: network namespaces and nftables.

    a -- home a (translator) -- internet (a bridge, with a server at it) -- home b (translator) -- b

Kinds: "port" lets in only from where something was sent to (what Linux does by itself), "symmetric" has another port for
each place, "full" lets in everybody. The link of b to its home has 20 Mbit/s where the kernel has a shaper for it."""
import os

from spaces import Spaces, run

SERVER, PORT = "203.0.113.1", 5001
OUTSIDE = {"a": "203.0.113.10", "b": "203.0.113.20"}
INSIDE = {"a": "192.168.10", "b": "192.168.20"}


class Nats(Spaces):
    def __init__(self, **kinds):
        super().__init__({who: f"roost-nat-{os.getpid()}-{who}" for who in ("net", "a", "b", "home-a", "home-b")})
        self.kinds = kinds

    def _ip(self, who, *argv):
        run("ip", "-n", self.names[who], *argv)

    def build(self):
        self._ip("net", "link", "add", "bridge", "type", "bridge")
        self._ip("net", "address", "add", f"{SERVER}/24", "dev", "bridge")
        self._ip("net", "link", "set", "bridge", "up")
        for who in "ab":
            self._home(who)

    def _home(self, who):
        home, inside = f"home-{who}", INSIDE[who]
        run("ip", "link", "add", f"to-{who}", "netns", self.names["net"], "type", "veth",
            "peer", "name", "out", "netns", self.names[home])
        self._ip("net", "link", "set", f"to-{who}", "master", "bridge", "up")
        run("ip", "link", "add", "in", "netns", self.names[home], "type", "veth",
            "peer", "name", "eth", "netns", self.names[who])
        self._ip(home, "address", "add", f"{OUTSIDE[who]}/24", "dev", "out")
        self._ip(home, "address", "add", f"{inside}.1/24", "dev", "in")
        self._ip(who, "address", "add", f"{inside}.2/24", "dev", "eth")
        for space, link in ((home, "out"), (home, "in"), (who, "eth")):
            self._ip(space, "link", "set", link, "up")
        self._ip(who, "route", "add", "default", "via", f"{inside}.1")
        run(*self.at(home), "sysctl", "-q", "-w", "net.ipv4.ip_forward=1")
        self._translate(who)

    def _translate(self, who):
        kind = self.kinds[who]
        rules = ["add table ip t", "add chain ip t post { type nat hook postrouting priority 100; }",
                 "add chain ip t pre { type nat hook prerouting priority -100; }",
                 f"add rule ip t post oifname out masquerade {'fully-random' if kind == 'symmetric' else ''}",
                 # what nobody inside asked for ends here, without a word
                 "add chain ip t in { type filter hook input priority 0; }",
                 "add rule ip t in iifname out meta l4proto udp drop"]
        if kind == "full":
            rules.append(f"add rule ip t pre iifname out meta l4proto udp dnat to {INSIDE[who]}.2")
        run(*self.at(f"home-{who}"), "nft", "; ".join(rules))

    def cut_straight(self, cut=True):
        """What is not to or from the server is lost between the homes."""
        rules = "flush ruleset"
        if cut:
            rules += ("; add table bridge t; add chain bridge t f { type filter hook forward priority 0; }; "
                      "add rule bridge t f ether type ip meta l4proto udp drop")
        run(*self.at("net"), "nft", rules)

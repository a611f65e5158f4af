"""What is done to sockets and namespaces: options, memberships, a close, and a namespace that ends and comes again."""

from __future__ import annotations

from fixtures.recorder import encode as e
from tests.conformance.world import NETS, SETTLE, World

OPTIONS = (e.CAP_ACK, e.EXT_ACK, e.GET_STRICT_CHK, e.PKTINFO, e.BROADCAST_ERROR, e.LISTEN_ALL_NSID)
MEMBERSHIPS = (e.ADD_MEMBERSHIP, e.DROP_MEMBERSHIP)


class Sockets(World):
    """Sockets and namespaces."""

    def socket(self) -> None:
        self.rng.choices((self.option, self.reopen, self.rebirth), (6, 3, 1))[0]()

    def option(self) -> None:
        """An option of any socket: a flag, or a membership, of a group that may not be there."""
        name = f"{self.rng.choice('rsougeplm')}{self.rng.randrange(len(NETS))}"
        if self.chance(0.6):
            self.perform(opt=name, name=self.rng.choice(OPTIONS), value=self.rng.randrange(2), settle=0)
            return
        route = name[0] in "rsoul"
        groups = [1, 28, 0, 40, 500] if route else [4, 5, 6, 16, 0, 65, 500]
        if route and "address" in self.areas:
            groups += [5, 9]
        self.perform(opt=name, name=self.rng.choice(MEMBERSHIPS), value=self.rng.choice(groups), settle=0)

    def reopen(self) -> None:
        """A socket is closed and opened again, as it was at first."""
        number = self.rng.randrange(len(NETS))
        opened = [step for step in self.sockets(number) if step["open"][0] not in "lm"]
        step = self.rng.choice(opened)
        self.perform(close=step["open"], settle=0.1)
        self.perform(**step)

    def rebirth(self) -> None:
        """A namespace ends with all that is in it, and another takes its name."""
        number = self.rng.randrange(1, len(NETS))
        opened = self.sockets(number)
        for step in opened:
            self.perform(close=step["open"], settle=0.1)
        self.perform(netns_del=NETS[number], settle=SETTLE)
        self.perform(netns=NETS[number], settle=1)
        for step in opened:
            self.perform(**step)

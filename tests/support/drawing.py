"""Output such as programs write: full screens, dashboards, coloured lines, tricks. Random, by a seed."""

import random
from collections.abc import Sequence

COLS, ROWS = 80, 24
TEXTS = ["plain", "Grüße", "日本語", "e\u0301", "👩‍💻", "┌─┐", "100 %", "£"]


class Drawer:
    """Writes piece after piece; each is complete, and leaves modes as it likes."""

    def __init__(self, seed: int, texts: Sequence[str] = TEXTS) -> None:
        self._chance = random.Random(seed)
        self._texts = texts

    def stream(self, size: int) -> bytes:
        """At least so many bytes of everything."""
        pieces, total = [], 0
        while total < size:
            pieces.append(self._chance.choice(self.KINDS)(self).encode())
            total += len(pieces[-1])
        return b"".join(pieces)

    def screenful(self) -> bytes:
        """All of the screen anew, from whatever modes, as a full-screen program draws it when its size has changed."""
        rows = [f"\x1b[{row};1H\x1b[0;{30 + row % 8}m{self._word()} row {row}\x1b[K" for row in range(1, ROWS + 1)]
        return f"\x1b[?6l\x1b[4l\x0f\x1b(B\x1b[0m\x1b[H\x1b[2J{''.join(rows)}\x1b[5;7H".encode()

    def _word(self) -> str:
        return self._chance.choice(self._texts)

    def _number(self, most: int) -> int:
        return self._chance.randrange(most + 1)

    def _lines(self) -> str:
        return "".join(f"{self._word()} {self._number(10**6)} {self._word()}\r\n" for _ in range(self._number(30)))

    def _look(self) -> str:
        chance = self._chance
        looks = [
            "",
            "0",
            "1",
            "2;3",
            "4",
            "4:3",
            "4:0",
            "5",
            "7;9",
            "8",
            "21",
            "22",
            "24",
            "27;28;29",
            "31",
            "44",
            "97;100",
        ]
        looks += [f"38;5;{self._number(255)}", f"48;2;{self._number(255)};7;9", f"38:2::{self._number(255)}:1:2"]
        looks += ["48:5:200", "39;49", "53", "55", "58;5;3", "59", "1;38;5;2;4", "38;5", "999"]
        return f"\x1b[{chance.choice(looks)}m{self._word()}"

    def _mode(self) -> str:
        mode = self._chance.choice([1, 6, 7, 25, 45, 66, 1000, 1002, 1003, 1004, 1006, 1016, 2004, 12345, 9])
        return f"\x1b[?{mode}{self._chance.choice('hl')}"

    def _modes(self) -> str:
        on = self._chance.choice("hl")
        return f"\x1b[?1;25;2004{on}\x1b[4{self._chance.choice('hl')}\x1b{self._chance.choice('=>')}"

    def _alternate(self) -> str:
        # xterm.js keeps underlines in two places and saves one of them, so there is none at this moment.
        return f"\x1b[24;59m\x1b[?{self._chance.choice([47, 1047, 1048, 1049])}{self._chance.choice('hl')}"

    def _saved(self) -> str:
        return f"\x1b[24;59m{self._chance.choice([chr(27) + '7', chr(27) + '8', chr(27) + '[s', chr(27) + '[u'])}"

    def _region(self) -> str:
        top, bottom = self._number(10), self._number(30)
        return self._chance.choice(["\x1b[r", f"\x1b[{top};{bottom}r", f"\x1b[{top}r", "\x1b[3;20r\x1b[?6h"])

    def _charset(self) -> str:
        return self._chance.choice(
            ["\x1b(0", "\x1b(B", "\x1b)0\x0elqqk\x0f", "\x0e", "\x0f", "\x1bn", "\x1b*0", "\x1b-A"]
        )

    def _title(self) -> str:
        end = self._chance.choice(["\x07", "\x1b\\", "\xc2\x9c".encode("latin-1").decode()])
        return f"\x1b]{self._chance.choice([0, 1, 2, 8, 1337])};{self._word() * self._number(60)}{end}"

    def _string(self) -> str:
        body = "".join(self._word() for _ in range(self._number(40)))
        return f"{self._chance.choice([chr(27) + 'P', chr(27) + '^', chr(27) + '_', chr(0x90)])}{body}\x1b\\"

    def _reset(self) -> str:
        return self._chance.choice(
            ["\x1b[!p", "\x1bc\x1b[!p", "\x18", "\x1b[12\x18", "\x1b]0;never\x18", "\x1b[0<5m", "\x1b[?1$p"]
        )

    def _places(self) -> str:
        return f"\x1b[{self._number(ROWS)};{self._number(COLS)}H{self._word()}\x1b[K\x1b[{self._number(3)}A"

    def _dashboard(self) -> str:
        bars = [
            f"\x1b[{row};1H\x1b[32m{'|' * self._number(40)}\x1b[0m\x1b[K {self._number(100)}%" for row in range(1, 9)
        ]
        return f"\x1b[?25l\x1b[H{''.join(bars)}\x1b[{self._number(ROWS)};4H\x1b[7mF1\x1b[27m"

    KINDS = (
        _lines, _look, _look, _mode, _modes, _alternate, _saved, _region, _charset, _title, _string, _reset, _places,
        _dashboard,
    )  # fmt: skip

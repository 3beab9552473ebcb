"""Pictures and commands between one vehicle and its operator, and how old they are."""

from __future__ import annotations

from dataclasses import dataclass, field

#: What nobody has seen yet.
NEVER_US = -(2**62)


@dataclass(slots=True)
class RemoteLink:
    """What has gone up and down for one vehicle; all times in [µs].

    Attributes
    ----------
    capture_us
        Instant of the newest picture on the operator's screen.
    command_us
        When the newest command that the vehicle has was given ...
    command_capture_us
        ... and the instant of the picture it was given for.
    uplink_free_us
        Until when a picture is still going up.
    """

    capture_us: int
    command_us: int
    command_capture_us: int
    uplink_free_us: int = NEVER_US
    _pictures: list[tuple[int, int]] = field(default_factory=list)
    _commands: list[tuple[int, int, int]] = field(default_factory=list)

    def picture(self, capture_us: int, arrives_us: int, shown_us: int) -> None:
        """Note a picture on its way; a lost one arrives before time 0 and frees the uplink."""
        if arrives_us >= 0:
            self.uplink_free_us = arrives_us
            self._pictures.append((shown_us, capture_us))

    def shown_until(self, now_us: int) -> int:
        """Return the instant of the newest picture that is on the screen by `now_us`."""
        shown = [capture for at, capture in self._pictures if at <= now_us]
        self._pictures = [item for item in self._pictures if item[0] > now_us]
        self.capture_us = max([self.capture_us, *shown])
        return self.capture_us

    def command(self, given_us: int, capture_us: int, arrives_us: int) -> None:
        """Note a command on its way; a lost one arrives before time 0."""
        if arrives_us >= 0:
            self._commands.append((arrives_us, given_us, capture_us))

    def hear(self, now_us: int) -> None:
        """Let the vehicle use the commands that have arrived."""
        for arrives_us, given_us, capture_us in self._commands:
            if arrives_us <= now_us and given_us > self.command_us:
                self.command_us, self.command_capture_us = given_us, capture_us
        self._commands = [item for item in self._commands if item[0] > now_us]

    def command_age_us(self, now_us: int) -> int:
        """Age of the newest command."""
        return now_us - self.command_us

    def video_age_us(self, now_us: int) -> int:
        """Age of the picture for which the newest command was given."""
        return now_us - self.command_capture_us

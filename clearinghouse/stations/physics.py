"""How a car takes energy: the power that EVSE, limits and car agree on, and its course over time, in closed form.

Energies are kWh at the meter, powers kW, times hours. A course is a flat stretch, then a decaying one: above
`taper_from` the battery accepts ever less, linearly in its state of charge, which is an exponential over time.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from decimal import Decimal

from clearinghouse.domain.sessions import Limits
from clearinghouse.services.stations_port import Evse

NOTHING = Decimal(0)
FULL = Decimal(1)


@dataclass(frozen=True, kw_only=True)
class Car:
    """A car at the plug. Powers in kW at the meter, the battery in kWh, shares from 0 to 1.

    `max_ac_power` is the on-board charger's with all of its `phases`; `efficiency` is what part of the metered
    energy reaches the battery; `trickle` is what part of its best power the battery accepts just before it is full.
    """

    battery: Decimal = Decimal(60)
    state_of_charge: Decimal = Decimal("0.3")
    max_ac_power: Decimal = Decimal(11)
    phases: int = 3
    max_dc_power: Decimal | None = None
    efficiency: Decimal = Decimal("0.92")
    taper_from: Decimal = Decimal("0.8")
    trickle: Decimal = Decimal("0.05")

    def __post_init__(self) -> None:
        """Refuse what no car is. Raises ValueError."""
        powers = (self.max_ac_power, self.battery, FULL if self.max_dc_power is None else self.max_dc_power)
        if min(powers) <= 0:
            raise ValueError("a car's powers and its battery are greater than 0")
        if self.phases not in (1, 2, 3):
            raise ValueError(f"a car charges on 1, 2 or 3 phases, not {self.phases}")
        if not NOTHING <= self.state_of_charge <= FULL or not NOTHING <= self.taper_from < FULL:
            raise ValueError("state_of_charge is from 0 to 1, taper_from from 0 to less than 1")
        if not Decimal("0.01") <= self.trickle <= FULL or not Decimal("0.1") <= self.efficiency <= FULL:
            raise ValueError("trickle is from 0.01 to 1, efficiency from 0.1 to 1")

    @property
    def best_power(self) -> Decimal:
        """What the battery accepts until the taper begins."""
        return max(self.max_ac_power, self.max_dc_power or NOTHING)

    def charged(self, energy: Decimal) -> Car:
        """The car after the meter counted this energy."""
        stored = self.state_of_charge + energy * self.efficiency / self.battery
        return dataclasses.replace(self, state_of_charge=min(FULL, stored))

    def energy_until(self, state_of_charge: Decimal) -> Decimal:
        """What the meter will count until that state of charge; 0 where it is behind."""
        return max(NOTHING, (state_of_charge - self.state_of_charge) * self.battery / self.efficiency)


def is_dc(evse: Evse) -> bool:
    """Whether the EVSE gives direct current."""
    return evse.phases == 0


def offered_power(evse: Evse, car: Car, limits: Limits) -> Decimal:
    """The most that may flow: the lowest of the EVSE's rating, the limits and the car's charger, in kW."""
    if is_dc(evse):
        phases = 1
        bounds = [evse.max_power, car.max_dc_power or NOTHING]
    else:
        phases = 1 if limits.one_phase else min(evse.phases, car.phases)
        bounds = [evse.max_power * phases / evse.phases, car.max_ac_power * phases / car.phases]
    if limits.max_power is not None:
        bounds.append(limits.max_power)
    if limits.max_current is not None:
        bounds.append(phases * evse.voltage * limits.max_current / 1000)
    return max(NOTHING, min(bounds))


@dataclass(frozen=True)
class Stretch:
    """A part of a course: `power` at its beginning falls by `decay` kW per kWh; it ends after `energy`."""

    power: Decimal
    decay: Decimal
    energy: Decimal

    def energy_after(self, hours: Decimal) -> Decimal:
        """The energy that flowed, at most all of the stretch."""
        if self.decay == 0:
            return min(self.energy, self.power * hours)
        return min(self.energy, self.power / self.decay * (1 - (-self.decay * hours).exp()))

    def hours_to(self, energy: Decimal) -> Decimal:
        """How long that energy takes; it is not more than the stretch's, and the power is not 0."""
        if self.decay == 0:
            return energy / self.power
        return -(1 - self.decay * energy / self.power).ln() / self.decay


@dataclass(frozen=True)
class Course:
    """How a charge will go on if nobody changes anything, until the car is full."""

    stretches: tuple[Stretch, ...]

    @property
    def power(self) -> Decimal:
        """The power at this moment."""
        return next((each.power for each in self.stretches if each.energy > 0), NOTHING)

    @property
    def energy(self) -> Decimal:
        """What is missing until the car is full."""
        return sum((each.energy for each in self.stretches), NOTHING)

    def energy_after(self, hours: Decimal) -> Decimal:
        """The energy that will have flowed."""
        total = NOTHING
        for stretch in self.stretches:
            gained = stretch.energy_after(hours)
            total += gained
            if gained < stretch.energy or stretch.power == 0:
                break
            hours = max(NOTHING, hours - stretch.hours_to(stretch.energy))
        return total

    def hours_to(self, energy: Decimal) -> Decimal | None:
        """When that energy will have flowed; None where it never will."""
        total = NOTHING
        for stretch in self.stretches:
            part = min(energy, stretch.energy)
            if part > 0 and stretch.power == 0:
                return None
            total += stretch.hours_to(part) if part > 0 else NOTHING
            energy -= part
        return total if energy <= 0 else None


def course_of(car: Car, offered: Decimal) -> Course:
    """The course of a charge with at most `offered` kW."""
    best = car.best_power
    slope = best * (FULL - car.trickle) / (FULL - car.taper_from)  # kW that the accepted power falls per whole battery
    knee = FULL if slope == 0 else min(FULL, car.taper_from + max(NOTHING, best - offered) / slope)
    flat = Stretch(min(offered, best), NOTHING, car.energy_until(knee))
    start = max(knee, car.state_of_charge)
    accepted = best - slope * max(NOTHING, start - car.taper_from)
    taper = Stretch(min(offered, accepted), slope * car.efficiency / car.battery, car.energy_until(FULL) - flat.energy)
    return Course((flat, taper))

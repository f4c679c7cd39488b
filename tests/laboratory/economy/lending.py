"""Lenders, borrowers and keepers of one Aave market: each does what pays it, late and by fits and starts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import exp, tanh

from laboratory.aave import RAY, UNLIMITED, VARIABLE, Market, Reserve
from laboratory.economy.ledger import Block
from laboratory.economy.weather import Weather
from numpy.random import Generator

WAD = 10**18


@dataclass(frozen=True)
class Habit:
    """What people want of a reserve in calm times, dollars; the reserve `collateral` backs its loans."""

    symbol: str
    deposits: float
    debts: float
    collateral: str = "WSTETH"


@dataclass
class Loan:
    """One borrower of one reserve: what it owes and what backs it, whole tokens, as it remembers them."""

    account: str
    owed: float = 0.0
    backing: float = 0.0


@dataclass
class Figures:
    """A reserve as the contracts tell it: dollars but for the rates, fractions a year."""

    deposits: float
    debts: float
    available: float
    supply_rate: float
    borrow_rate: float


@dataclass
class Lending:
    """All people of one market. `people` accounts lend, and as many borrow, in each reserve."""

    market: Market
    habits: Sequence[Habit]
    weather: Weather
    draw: Generator
    people: int = 4
    lent: dict[str, dict[str, float]] = field(default_factory=dict)
    loans: dict[str, list[Loan]] = field(default_factory=dict)
    rewards: dict[str, float] = field(default_factory=dict)
    """Extra yield of depositors by symbol, as they reckon with it."""
    whales: list[tuple[int, str, float]] = field(default_factory=list)
    """Day, symbol and dollars that a whale will take out again (below 0: bring back)."""

    def settle_in(self, block: Block) -> None:
        """The first deposits and loans, near what people want."""
        for place, habit in enumerate(self.habits):
            self.lent[habit.symbol] = {address(1, place, one): 0.0 for one in range(self.people)}
            self.loans[habit.symbol] = [Loan(address(2, place, one)) for one in range(self.people)]
            for account in (*self.lent[habit.symbol], *(loan.account for loan in self.loans[habit.symbol])):
                for asset in {habit.symbol, habit.collateral}:
                    token = self.market.reserves[asset].token
                    block.send(account, token.data("approve", self.market.pool.address, UNLIMITED))
            for account in self.lent[habit.symbol]:
                self._lend(block, habit.symbol, account, habit.deposits / self.people, 0)
        for habit in self.habits:
            for loan in self.loans[habit.symbol]:
                self._borrow(block, habit, loan, habit.debts / self.people, 0)

    def act(self, block: Block, day: int, share: float) -> None:
        """What happens in one block that stands for `share` of a day."""
        figures = self.figures(day)
        for habit in self.habits:
            now = figures[habit.symbol]
            if self.draw.random() < 0.9 * share and habit.deposits:
                self._adjust_deposits(block, habit, now, day)
            if self.draw.random() < 1.2 * share and habit.debts:
                self._adjust_debts(block, habit, now, day)
            if self.draw.random() < 0.006 * share and habit.debts:
                self._whale_comes(block, habit, now, day)
        for due in [one for one in self.whales if one[0] <= day]:
            self.whales.remove(due)
            self._whale_goes(block, due[1], due[2], figures[due[1]], day)

    def keep_safe(self, block: Block, day: int) -> None:
        """Once a day: who is close to liquidation adds collateral, mostly; keepers liquidate who did not."""
        for habit in self.habits:
            for loan in self.loans[habit.symbol]:
                if not loan.owed:
                    continue
                health = self._health(habit, loan, day)
                if health < 1.25 and self.draw.random() < 0.75:
                    self._back(block, habit, loan, day, 1.5)
                elif health < 1.0:
                    self._liquidate(block, habit, loan)

    def figures(self, day: int) -> dict[str, Figures]:
        """Every reserve now, in one batch."""
        reserves = list(self.market.reserves.values())
        told = self.market.data.call_many("getReserveData", [(one.token.address,) for one in reserves])
        held = [one.token.data("balanceOf", one.deposits.address) for one in reserves]
        balances = self.market.chain.call_many(held)
        return {
            one.terms.symbol: self._figures(one, data, int.from_bytes(balance), day)
            for one, data, balance in zip(reserves, told, balances, strict=True)
        }

    def _figures(self, reserve: Reserve, data: Sequence[int], available: int, day: int) -> Figures:
        worth = self.price(reserve.terms.symbol, day) / 10**reserve.terms.decimals
        return Figures(data[2] * worth, data[4] * worth, available * worth, data[5] / RAY, data[6] / RAY)

    def price(self, symbol: str, day: int) -> float:
        return float(self.weather.prices[symbol][day])

    def _adjust_deposits(self, block: Block, habit: Habit, now: Figures, day: int) -> None:
        """Lenders come for a yield above what they get elsewhere, and go for one below."""
        better = now.supply_rate + self.rewards.get(habit.symbol, 0.0) - float(self.weather.outside[day])
        wanted = habit.deposits * self.weather.lending[habit.symbol][day] * pull(better)
        step = (wanted - now.deposits) * self.draw.uniform(0.1, 0.4)
        step += 0.006 * habit.deposits * self.draw.standard_normal()
        lenders = self.lent[habit.symbol]
        if step > 0:
            account = list(lenders)[int(self.draw.integers(len(lenders)))]
            self._lend(block, habit.symbol, account, step, day)
        else:
            self._withdraw(block, habit.symbol, min(-step, 0.97 * now.available), day)

    def _adjust_debts(self, block: Block, habit: Habit, now: Figures, day: int) -> None:
        """Borrowers want more when rates are low, and bear dear loans only for so long."""
        dear = now.borrow_rate - float(self.weather.outside[day]) - 0.02
        wanted = habit.debts * self.weather.borrowing[habit.symbol][day] / pull(dear)
        step = (wanted - now.debts) * self.draw.uniform(0.1, 0.4)
        step += 0.008 * habit.debts * self.draw.standard_normal()
        loans = self.loans[habit.symbol]
        if step > 0:
            loan = loans[int(self.draw.integers(len(loans)))]
            self._borrow(block, habit, loan, min(step, 0.985 * now.available), day)
        else:
            self._repay(block, habit, max(loans, key=lambda one: one.owed), -step, day)

    def _whale_comes(self, block: Block, habit: Habit, now: Figures, day: int) -> None:
        """Somebody large lends or takes out much, for days."""
        size = now.deposits * self.draw.uniform(0.04, 0.14)
        stay = day + int(self.draw.integers(2, 12))
        if self.draw.random() < 0.5:
            self._lend(block, habit.symbol, next(iter(self.lent[habit.symbol])), size, day)
        else:
            size = -min(size, 0.95 * now.available)
            self._withdraw(block, habit.symbol, -size, day)
        self.whales.append((stay, habit.symbol, size))

    def _whale_goes(self, block: Block, symbol: str, size: float, now: Figures, day: int) -> None:
        if size > 0:
            self._withdraw(block, symbol, min(size, 0.95 * now.available), day)
        else:
            self._lend(block, symbol, next(iter(self.lent[symbol])), -size, day)

    def _lend(self, block: Block, symbol: str, account: str, dollars: float, day: int) -> None:
        reserve = self.market.reserves[symbol]
        tokens = dollars / self.price(symbol, day)
        if not reserve.units(tokens):
            return
        self.lent[symbol][account] += tokens
        self._supply(block, reserve, account, tokens)

    def _supply(self, block: Block, reserve: Reserve, account: str, tokens: float) -> None:
        amount = reserve.units(tokens)
        block.send(account, reserve.token.data("mint", amount))
        block.send(account, self.market.pool.data("supply", reserve.token.address, amount, account, 0))

    def _withdraw(self, block: Block, symbol: str, dollars: float, day: int) -> None:
        """The largest lender takes out; what it was paid in interest stays."""
        reserve, lenders = self.market.reserves[symbol], self.lent[symbol]
        account = max(lenders, key=lambda one: lenders[one])
        tokens = min(dollars / self.price(symbol, day), lenders[account])
        if not reserve.units(tokens):
            return
        lenders[account] -= tokens
        values = (reserve.token.address, reserve.units(tokens), account)
        block.send(account, self.market.pool.data("withdraw", *values))

    def _borrow(self, block: Block, habit: Habit, loan: Loan, dollars: float, day: int) -> None:
        reserve = self.market.reserves[habit.symbol]
        tokens = dollars / self.price(habit.symbol, day)
        if not reserve.units(tokens):
            return
        loan.owed += tokens
        self._back(block, habit, loan, day, 1.45)
        values = (reserve.token.address, reserve.units(tokens), VARIABLE, 0, loan.account)
        block.send(loan.account, self.market.pool.data("borrow", *values))

    def _repay(self, block: Block, habit: Habit, loan: Loan, dollars: float, day: int) -> None:
        reserve = self.market.reserves[habit.symbol]
        tokens = min(dollars / self.price(habit.symbol, day), loan.owed)
        if not reserve.units(tokens):
            return
        loan.owed -= tokens
        amount = reserve.units(tokens)
        block.send(loan.account, reserve.token.data("mint", amount))
        values = (reserve.token.address, amount, VARIABLE, loan.account)
        block.send(loan.account, self.market.pool.data("repay", *values))

    def _health(self, habit: Habit, loan: Loan, day: int) -> float:
        threshold = self.market.reserves[habit.collateral].terms.liquidation_threshold
        owed = loan.owed * self.price(habit.symbol, day)
        return loan.backing * self.price(habit.collateral, day) * threshold / owed

    def _back(self, block: Block, habit: Habit, loan: Loan, day: int, health: float) -> None:
        """Add collateral until the loan is as healthy as that."""
        now = self._health(habit, loan, day)
        if now >= health or not loan.owed:
            return
        reserve = self.market.reserves[habit.collateral]
        owed = loan.owed * self.price(habit.symbol, day)
        worth = (health - now) * owed / reserve.terms.liquidation_threshold
        tokens = worth / self.price(habit.collateral, day)
        loan.backing += tokens
        self._supply(block, reserve, loan.account, tokens)

    def _liquidate(self, block: Block, habit: Habit, loan: Loan) -> None:
        """A keeper repays half of a loan for collateral worth 5 % more, where the contract lets it."""
        *_, health = self.market.pool.call("getUserAccountData", loan.account)
        if health >= WAD:
            return
        reserve, backing = self.market.reserves[habit.symbol], self.market.reserves[habit.collateral]
        keeper, amount = address(3, 0, 0), reserve.units(loan.owed / 2)
        block.send(keeper, reserve.token.data("mint", amount))
        block.send(keeper, reserve.token.data("approve", self.market.pool.address, UNLIMITED))
        values = (backing.token.address, reserve.token.address, loan.account, amount, False)
        block.send(keeper, self.market.pool.data("liquidationCall", *values))
        loan.owed /= 2
        loan.backing /= 2


def pull(better: float) -> float:
    """What a yield that is `better` than elsewhere multiplies wishes by: much at first, then no more."""
    return exp(9.0 * 0.06 * tanh(better / 0.06))


def address(kind: int, place: int, one: int) -> str:
    """An account that only this economy uses."""
    return f"0x{0xEC0 << 148 | kind << 32 | place << 16 | one + 1:040x}"

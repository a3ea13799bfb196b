"""One row of the table: what is attacked, how, and the cases."""


class Attack:
    """`cases(program, rng)` yields pairs: what is tried, and a function that raises `Fallen` where it does not hold."""

    def __init__(self, name, how, cases):
        self.name, self.how, self.cases = name, how, cases

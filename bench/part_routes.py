"""What 499 further routes add to a request, in user instructions."""

from lib_scenarios import HELLO, Scenario
from lib_servers import Perigee
from lib_tables import Table

NAME, TITLE = "routes", "Routes"
COUNTS = (1, 500)
ASKED = Scenario("one of the routes", "routes.txt", HELLO, ours=True)


class Routes(Perigee):
    """Perigee with bench/routes.lua and so many routes."""

    app = "routes.lua"

    def __init__(self, count):
        self.name = f"perigee, {count} routes"
        self.settings = (f"app.routes={count}",)


def measure(bench):
    figures = {}
    for count in COUNTS if bench.ours else ():
        instructions = bench.instructions(Routes(count), ASKED)
        if instructions is not False:
            figures[str(count)] = instructions
    return figures


def tables(figures):
    rows = {"perigee": {f"{count} route{'s' if count != '1' else ''}": value for count, value in figures.items()}}
    return [Table("User instructions a request, with so many routes", list(rows["perigee"]), rows)]

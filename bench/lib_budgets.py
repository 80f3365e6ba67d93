"""The budgets that --check holds."""

HELLO_INSTRUCTIONS = 2_500
TYPED_INSTRUCTIONS = 5_000
MIDDLEWARE_INSTRUCTIONS = 600  # of ten middlewares that do nothing
WAIT_INSTRUCTIONS = 2_500  # of one perigee.sleep(0)
TIMERS_SHARE = 1.01  # of hello, with 100,000 timers pending: within what a count repeats to
SPECS_INSTRUCTIONS = 800  # of one path, one query and one header spec, over the same route without
SESSION_INSTRUCTIONS = 1_500  # of reading a session, over ignoring its cookie
SESSIONS_SHARE = 1.1  # of one operation among 1,000 sessions, among 1,000,000
JSON_INSTRUCTIONS = 12_000  # 1 KiB, ten typed members
BROWSER_SHARE_OF_NGINX = 1 / 4
PIPELINED_TIMES_NGINX = 5
IDLE_BYTES = 1_024


def figure(report, *path):
    """The number at that place of the report, or None where it was not measured."""
    for key in path:
        report = report.get(key) if isinstance(report, dict) else None
    return report


def at_most(what, value, limit, unit):
    if value is None or limit is None:
        return f"{what}: not measured"
    return None if value <= limit else f"{what}: {value:,.0f} {unit}, allowed {limit:,.0f}"


def at_least(what, value, limit, unit):
    if value is None or limit is None:
        return f"{what}: not measured"
    return None if value >= limit else f"{what}: {value:,.0f} {unit}, wanted {limit:,.0f}"


def plus(value, more):
    return None if value is None else value + more


def times(value, factor):
    return None if value is None else value * factor


def broken(report):
    """One line for each budget that is broken or cannot be checked."""
    def instructions(server, scenario):
        return figure(report, "instructions", server, scenario)

    def rps(server):
        return figure(report, "rounds", server, "pipelined", "rps", "median")

    lines = [
        at_most("hello", instructions("perigee", "hello"), HELLO_INSTRUCTIONS, "instructions a request"),
        at_most("typed", instructions("perigee", "typed"), TYPED_INSTRUCTIONS, "instructions a request"),
        at_most("ten middlewares", instructions("perigee", "middleware"),
                plus(instructions("perigee", "hello"), MIDDLEWARE_INSTRUCTIONS), "instructions a request"),
        at_most("a wait", instructions("perigee", "waits"), plus(instructions("perigee", "hello"), WAIT_INSTRUCTIONS),
                "instructions a request"),
        at_most("hello beside 100,000 timers", instructions("perigee, 100,000 timers", "hello"),
                times(instructions("perigee", "hello"), TIMERS_SHARE), "instructions a request"),
        at_most("specs", instructions("perigee", "specs"), plus(instructions("perigee", "bare"), SPECS_INSTRUCTIONS),
                "instructions a request"),
        at_most("session", instructions("perigee", "session read"),
                plus(instructions("perigee", "session skip"), SESSION_INSTRUCTIONS), "instructions a request"),
        *(at_most(f"{what} a session among 1,000,000", instructions("sessions alone", f"{what}, 1,000,000"),
                  times(instructions("sessions alone", f"{what}, 1,000"), SESSIONS_SHARE), "instructions")
          for what in ("find", "make")),
        at_most("json", instructions("perigee", "json"), JSON_INSTRUCTIONS, "instructions a request"),
        at_most("browser against nginx+lua", instructions("perigee", "browser"),
                times(instructions("nginx+lua", "browser"), BROWSER_SHARE_OF_NGINX), "instructions a request"),
        at_least("pipelined against nginx+lua", rps("perigee"), times(rps("nginx+lua"), PIPELINED_TIMES_NGINX),
                 "requests a second"),
        at_most("idle connection", figure(report, "idle", "perigee", "each"), IDLE_BYTES, "bytes resident"),
    ]
    return [line for line in lines if line]

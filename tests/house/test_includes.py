"""The includes follow the plan of the house: who may see whom, and where each heavy header comes in."""

import re
import unittest

from source import ROOT, files, name

# A folder and those of our folders it may include besides itself.
LOWER = {"base": set(), "http": {"base"}, "net": {"base"}, "files": {"base", "http"}, "client": {"base", "net", "http"},
         "state": {"base"}, "profiler": {"base"}}
LOWER["script"] = set(LOWER)
LOWER["server"] = set(LOWER)
REMOTE_STATE = {"base", "net", "state"}

# A heavy header and the only places that may include it.
HEAVY = {
    r"event2?/.*|event2\.h|event\.h|evutil\.h": r"engine/net/.*",
    r"(luajit-2\.\d/)?(lua\.h|lua\.hpp|lauxlib\.h|lualib\.h|luajit\.h|luaconf\.h)": r"engine/script/.*",
    r"toml\+\+/.*|toml\.hpp": r"engine/server/config_loader\.cc",
    r"CLI/.*": r"engine/server/command_line\.cc",
    r"spdlog/.*|fmt/.*": r"engine/server/error_log\.cc",
    r"openssl/.*": r"engine/(base/crypto|net/tls)\.cc",
    r"http_parser\.h": r"engine/http/body_framer\.cc",
    r"ares(_\w+)?\.h": r"engine/net/resolver\.cc",
    r"brotli/\w+\.h": r"engine/(client/content_decoder|http/compressor)\.cc",
    r"xxhash\.h": r"engine/state/shared_dictionary\.cc",
    r"blake2\.h": r"engine/state/session_token\.cc",
    r"argon2\.h": r"engine/base/password\.cc",
    r"sqlite3\.h": r"engine/state/session_file\.cc",
}
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.MULTILINE)


def includes(path):
    """(is it ours by its quotes, what) of each include of a file."""
    return [(mark == '"', what) for mark, what in INCLUDE.findall(path.read_text())]


def engine():
    return files("engine", suffixes={".h", ".cc"})


class Includes(unittest.TestCase):
    def may(self, path, folder):
        parts = path.relative_to(ROOT / "engine").parts
        if len(parts) == 1 or folder == parts[0]:  # main.cc stands beside the folders
            return True
        if parts[:2] == ("state", "remote"):
            return folder in REMOTE_STATE
        return folder in LOWER.get(parts[0], set()) | ({"script"} if parts[0] == "server" else set())

    def test_every_folder_has_its_line_in_the_plan(self):
        folders = {path.relative_to(ROOT / "engine").parts[0] for path in engine()} - {"main.cc"}
        self.assertLessEqual(folders, set(LOWER))

    def test_a_folder_includes_what_the_plan_allows_and_nothing_above(self):
        wrong = []
        for path in engine():
            for ours, what in includes(path):
                if ours and not self.may(path, what.split("/")[0]):
                    wrong.append(f'{name(path)} includes "{what}"')
        self.assertEqual(wrong, [])

    def test_our_headers_are_named_from_the_engine_folder_and_exist(self):
        wrong = [f'{name(path)}: "{what}"' for path in engine() for ours, what in includes(path)
                 if ours and not (ROOT / "engine" / what).is_file()]
        self.assertEqual(wrong, [])

    def test_net_and_http_never_see_each_other(self):
        for folder, other in (("net", "http/"), ("http", "net/")):
            for path in files(f"engine/{folder}", suffixes={".h", ".cc"}):
                self.assertEqual([what for _, what in includes(path) if what.startswith(other)], [], name(path))

    def test_of_net_the_script_folder_sees_only_interfaces(self):
        # An interface is a header that brings no libevent with it.
        for path in files("engine/script", suffixes={".h", ".cc"}):
            for ours, what in includes(path):
                if ours and what.startswith("net/"):
                    brought = [inner for _, inner in includes(ROOT / "engine" / what) if inner.startswith("event")]
                    self.assertEqual(brought, [], f"{name(path)} includes {what}")

    def test_heavy_headers_come_in_where_they_belong(self):
        wrong = []
        for path in engine():
            for _, what in includes(path):
                for header, place in HEAVY.items():
                    if re.fullmatch(header, what) and not re.fullmatch(place, name(path)):
                        wrong.append(f"{name(path)} includes <{what}>")
        self.assertEqual(wrong, [])

    def test_each_heavy_header_is_included_by_one_source_file(self):
        for header in (r"toml\+\+/.*|toml\.hpp", r"CLI/.*", r"spdlog/.*", r"http_parser\.h", r"rapidjson/.*"):
            users = {name(path) for path in engine() for _, what in includes(path) if re.fullmatch(header, what)}
            self.assertLessEqual(len(users), 1, f"{header}: {users}")
            self.assertTrue(all(user.endswith(".cc") for user in users), users)


if __name__ == "__main__":
    unittest.main()

// Multipart forms as handlers see them: fields, files, and what can't be done with them.

#include <filesystem>

#include "vm_fixture.h"

namespace {

const char* const kApp = R"lua(
app:post("/form", function(req)
  return req.form.a .. "|" .. table.concat(req:form_all("a"), ",") .. "|" .. #req:form_all("f") .. #req:files()
end)
app:post("/files", function(req)
  local file = req:files()[1]
  return table.concat({ file.name, file.filename, file.type, file.size, file:read(2), file:read(), tostring(file:read()),
    #req:files() }, "|")
end)
app:post("/move", function(req)
  local file = req:files()[1]
  local ok, err = file:move(req:header("x-path"), { overwrite = req:header("x-over") ~= nil })
  return tostring(ok) .. "|" .. tostring(err)
end)
app:post("/misuse/{what}", function(req)
  local file = req:files()[1]
  if req.params.what == "read" then file:read(0)
  elseif req.params.what == "path" then file:move("a\0b")
  elseif req.params.what == "none" then file:move()
  else file:move(req:header("x-path")) file:move(req:header("x-path") .. "2") end
end)
app:post("/kept", function(req)
  local old = kept
  kept = req:files()[1]
  local ok, err = pcall(function() return old:read() end)
  return tostring(err)
end)
)lua";

std::string part(const std::string& fields, const std::string& content) {
  return "--b\r\nContent-Disposition: form-data; " + fields + "\r\n\r\n" + content + "\r\n";
}

std::string post(const std::string& target, const std::string& body, const std::string& fields = "") {
  return "POST " + target + " HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\n" + fields +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

perigee::script::VmSettings settings(std::size_t memory) {
  perigee::script::VmSettings made;
  made.upload.memory = memory;
  made.upload.parts = 4;
  return made;
}

}  // namespace

TEST_CASE("forms: fields have their first value and all, files are apart") {
  LoadedVm loaded(kApp, settings(GENERATE(0, 1000)));
  CHECK(answer_to(loaded, post("/form", part("name=a", "1") + part("name=f; filename=x", "") + part("name=a", "2") +
                                            "--b--")) == "200 1|1,2|01");
}

TEST_CASE("forms: a file is read in parts, in memory or on disk") {
  LoadedVm loaded(kApp, settings(GENERATE(0, 1000)));
  CHECK(answer_to(loaded, post("/files", part("name=f; filename=\"/x/y.txt\"", "12345") + "--b--")) ==
        "200 f|y.txt|text/plain|5|12|345|nil|1");
}

TEST_CASE("forms: a file is moved once, and over another only when asked") {
  const Scratch scratch;
  LoadedVm loaded(kApp, settings(GENERATE(0, 1000)));
  const std::string body = part("name=f; filename=x", "12345") + "--b--";
  const std::string path = "X-Path: " + scratch.path("kept") + "\r\n";
  CHECK(answer_to(loaded, post("/move", body, path)) == "200 true|nil");
  CHECK(Scratch::read(scratch.path("kept")) == "12345");
  CHECK(answer_to(loaded, post("/move", body, path)).starts_with("200 nil|exists: "));
  CHECK(answer_to(loaded, post("/move", body, path + "X-Over: 1\r\n")) == "200 true|nil");
}

TEST_CASE("forms: misuse of a file is an error that says which") {
  const std::pair<std::string, std::string> table[] = {{"read", "bad argument #1 to 'read'"},
                                                       {"path", "bad argument #1 to 'move'"},
                                                       {"none", "bad argument #1 to 'move'"},
                                                       {"twice", "the file was moved already"}};
  for (const auto& [what, message] : table) {
    const EventLog log;
    const Scratch scratch;
    LoadedVm loaded(kApp, settings(0));
    CHECK(answer_to(loaded, post("/misuse/" + what, part("name=f; filename=x", "12345") + "--b--",
                                 "X-Path: " + scratch.path("kept") + "\r\n"))
              .starts_with("500"));
    CHECK(log.text().find(message) != std::string::npos);
  }
}

TEST_CASE("forms: a kept file ends with its request") {
  LoadedVm loaded(kApp, settings(0));
  const std::string body = part("name=f; filename=x", "12345") + "--b--";
  (void)answer_to(loaded, post("/kept", body));
  CHECK(answer_to(loaded, post("/kept", body)).find("request has ended") != std::string::npos);
}

TEST_CASE("forms: what is no form, or too large a one, is the client's mistake") {
  LoadedVm loaded(kApp, settings(0));
  CHECK(answer_to(loaded, post("/form", "nothing")).starts_with("400"));
  std::string body;
  for (int i = 0; i < 5; ++i) {
    body += part("name=a", "1");
  }
  CHECK(answer_to(loaded, post("/form", body + "--b--")).find("limits.form_fields") != std::string::npos);
}

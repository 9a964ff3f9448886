// Requests to the API: "METHOD target", header lines, an empty line, the body. What it answers is sane.
#include <nlohmann/json.hpp>

#include "exporters/api.h"
#include "tests/exporters/fake_api_source.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace driftd;

exporters::Response answer(std::string_view input) {
  exporters::FakeApiSource source;
  Telemetry telemetry;
  const exporters::Router router = exporters::api_router(source, telemetry);
  exporters::Request request;
  const std::size_t blank = std::min(input.find("\n\n"), input.size());
  const auto lines = fuzz::split(input.substr(0, blank), '\n', 16);
  request.body = input.substr(std::min(blank + 2, input.size()));
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::size_t colon = lines[i].find(':');
    if (colon == std::string_view::npos) continue;
    request.headers.emplace_back(lines[i].substr(0, colon), lines[i].substr(colon + 1));
  }
  const std::size_t space = std::min(lines[0].find(' '), lines[0].size());
  const std::string_view target = lines[0].substr(std::min(space + 1, lines[0].size()));
  const std::size_t mark = std::min(target.find('?'), target.size());
  request.method = lines[0].substr(0, space);
  request.path = target.substr(0, mark);
  const auto query = exporters::parse_query(target.substr(std::min(mark + 1, target.size())));
  if (!query) return exporters::problem(400, "broken escape");
  request.query = *query;
  exporters::Router::Target found = router.find(request.method, request.path);
  if (found.handler == nullptr) return found.error;
  request.params = found.params;
  return (*found.handler)(request);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const exporters::Response response = answer(fuzz::text_of(data, size));
  FUZZ_CHECK(response.status >= 200 && response.status < 600, std::to_string(response.status));
  FUZZ_CHECK(response.status != 500, response.body);
  if (response.content_type.find("json") != std::string::npos) {
    FUZZ_CHECK(nlohmann::json::accept(response.body), response.body);
  }
  for (const auto& [name, value] : response.headers) {
    FUZZ_CHECK((name + value).find_first_of("\r\n") == std::string::npos, "a header with a line end: " + value);
  }
  return 0;
}

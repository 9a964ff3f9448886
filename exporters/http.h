// HTTP as handlers see it: Request, Response and the Router that finds the handler of a path. Free
// of any server, so that handlers are tested by calling them.
//
// Errors are problem documents (RFC 9457, application/problem+json). Paths are compared segment by
// segment after percent-decoding; "{name}" in a pattern matches one segment that is not empty.
// Thread-safety: a Router is read-only after it was filled; handlers are called concurrently.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftd::exporters {

using TextPairs = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method;  // "GET"; a HEAD request is handled as a GET whose body is not sent
  std::string path;    // as it was sent, still percent-encoded
  TextPairs params;    // of the pattern, decoded
  TextPairs query;     // decoded, in order; a name may come more than once
  TextPairs headers;   // names in lower case
  std::string body;

  // The first value of that name; nullptr when there is none.
  const std::string* header(std::string_view lower_case_name) const;
  const std::string* query_value(std::string_view name) const;
  // Precondition: the pattern has it.
  const std::string& param(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  TextPairs headers = {};
};

// "Not Found" of 404; "Error" for what driftd never sends.
const char* status_text(int status);

// A problem document: {"type":"about:blank","title","status","detail"}.
Response problem(int status, std::string_view detail, TextPairs headers = {});

// Percent-decoding (RFC 3986); nullopt for a broken escape or a NUL. `plus` also turns '+' into a
// blank, as queries want.
std::optional<std::string> percent_decode(std::string_view text, bool plus = false);

// "a=1&b=2" as pairs; nullopt when an escape is broken.
std::optional<TextPairs> parse_query(std::string_view query);

class Router {
 public:
  using Handler = std::function<Response(const Request&)>;

  // `methods`: "GET", "POST"... A GET route answers HEAD too. A pattern may be added again with
  // other methods. `prompt`: the handler waits for nothing, whatever hangs, and must not wait for those that do.
  void add(std::vector<std::string> methods, std::string pattern, Handler handler, bool prompt = false);

  struct Target {
    const Handler* handler = nullptr;  // nullptr: answer with `error`
    bool prompt = false;
    std::string pattern;  // for metrics; "other" when no pattern matches
    TextPairs params;
    Response error;  // 400, 404 or 405 with Allow
  };
  Target find(std::string_view method, std::string_view path) const;

 private:
  struct Route {
    std::vector<std::string> methods;
    std::string pattern;
    std::vector<std::string> segments;
    Handler handler;
    bool prompt;
  };
  std::vector<Route> routes_;
};

// What the handler answers; 500, with the reason in the log, when it throws.
Response answer(const Router::Handler& handler, const Request& request);

}  // namespace driftd::exporters

// One HTTP POST over libcurl, and what its outcome means for a message.
//
// Redirects are never followed, certificates are verified, at most 64 KiB of an answer are read,
// and the call ends at the deadline, or within 0.1 s of the stop flag, whatever the server does. Sockets are opened only to addresses
// that the policy allows. Proxies come from the environment, as curl documents; then it is the
// proxy's address that is judged. Nothing of headers or bodies is logged. Thread-safety: any thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "alerts/notifier.h"
#include "alerts/target_policy.h"
#include "core/clock.h"
#include "core/result.h"

namespace driftd::alerts {

struct HttpRequest {
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::string ca_file;      // PEM of the authorities to trust; empty: the system's
  bool secret_url = false;  // nothing of it in errors, and no bodies of answers, which may repeat it
  Targets targets = {};     // null: as without a list
  StopFlag stop = {};       // null: never
};

struct HttpResponse {
  long status = 0;
  std::string body;          // the first 64 KiB
  Duration retry_after = 0;  // Retry-After, seconds or date; 0: none
};

// kUnavailable when there is no answer (name, connection, TLS, deadline, stop).
Result<HttpResponse> http_post(const HttpRequest& request, Deadline deadline);

// 2xx delivered; 401, 403, 404, 407, 408, 421, 423, 425, 429, 5xx and no answer: retry (with Retry-After); 410 gone;
// everything else, among it redirects: rejected.
Delivery delivery_of(const Result<HttpResponse>& response);

// kInvalidArgument unless it is an absolute http(s) URL without user, password or control
// characters.
Status check_url(const std::string& url);

// "https://host:8443" of a URL, for messages: paths and queries may be secrets.
std::string origin_of(const std::string& url);

// As check_url(), and kInvalidArgument when the policy (null: none) can never allow its host.
Status check_target(const std::string& url, const Targets& targets);

}  // namespace driftd::alerts

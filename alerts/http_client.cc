#include "alerts/http_client.h"

#include <curl/curl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>

#include "core/text.h"

namespace driftd::alerts {
namespace {

constexpr std::size_t kMaxBody = 64 * 1024;
constexpr std::size_t kShownBody = 160;
constexpr Duration kMaxRetryAfter = kDay;
constexpr int kLookEvery = 100;  // ms; for the stop flag

struct CurlDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
struct MultiDeleter {
  void operator()(CURLM* handle) const { curl_multi_cleanup(handle); }
};
template <class T>
using CurlPtr = std::unique_ptr<T, CurlDeleter>;

// Takes what fits and then ends the transfer: the status is known by then.
std::size_t on_body(char* data, std::size_t size, std::size_t n, void* user) {
  auto& body = *static_cast<std::string*>(user);
  const std::size_t taken = std::min(size * n, kMaxBody - body.size());
  body.append(data, taken);
  return taken;
}

struct Target {
  std::string host;
  std::uint16_t port = 0;
};

// Empty when it is no absolute URL without user and password.
std::optional<Target> target_of(const std::string& url) {
  const CurlPtr<CURLU> parsed(curl_url());
  if (parsed == nullptr || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), CURLU_DISALLOW_USER) != CURLUE_OK) {
    return std::nullopt;
  }
  Target target;
  char* part = nullptr;
  if (curl_url_get(parsed.get(), CURLUPART_HOST, &part, 0) != CURLUE_OK) return std::nullopt;
  target.host = part;
  curl_free(part);
  if (curl_url_get(parsed.get(), CURLUPART_PORT, &part, CURLU_DEFAULT_PORT) != CURLUE_OK) {
    return std::nullopt;
  }
  target.port = static_cast<std::uint16_t>(std::strtoul(part, nullptr, 10));
  curl_free(part);
  return target;
}

// What open_socket needs to know, and what it says.
struct Gate {
  const TargetPolicy* policy;
  bool named;
  std::string refused;  // the address
};

curl_socket_t open_socket(void* user, curlsocktype, curl_sockaddr* address) {
  auto& gate = *static_cast<Gate*>(user);
  if (!gate.policy->allows(&address->addr, gate.named)) {
    gate.refused = address_text(&address->addr);
    return CURL_SOCKET_BAD;
  }
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

CurlPtr<curl_slist> header_list(const HttpRequest& request) {
  curl_slist* list = nullptr;
  for (const auto& [name, value] : request.headers) {
    list = curl_slist_append(list, (name + ": " + value).c_str());
  }
  return CurlPtr<curl_slist>(curl_slist_append(list, "Expect:"));  // no wait for a 100 Continue
}

// curl_easy_perform that ends soon after the stop flag: by itself libcurl asks its callbacks only once a
// second while nothing arrives, and waits for a name server to the end.
CURLcode perform(CURL* curl, const StopFlag& stop) {
  const std::unique_ptr<CURLM, MultiDeleter> multi(curl_multi_init());
  if (multi == nullptr || curl_multi_add_handle(multi.get(), curl) != CURLM_OK) return CURLE_FAILED_INIT;
  CURLcode code = CURLE_ABORTED_BY_CALLBACK;
  for (int running = 1; !is_set(stop);) {
    if (curl_multi_perform(multi.get(), &running) != CURLM_OK) {
      code = CURLE_FAILED_INIT;
      break;
    }
    if (running == 0) {
      int left = 0;
      const CURLMsg* done = curl_multi_info_read(multi.get(), &left);
      code = done == nullptr ? CURLE_FAILED_INIT : done->data.result;
      break;
    }
    curl_multi_poll(multi.get(), nullptr, 0, kLookEvery, nullptr);
  }
  curl_multi_remove_handle(multi.get(), curl);
  return code;
}

// What a receiver answers that is redeployed, whose secrets are changed, or that has too much to do: it says nothing
// about the message. What refuses this message, as 400 and 413 do, would refuse it again.
bool is_passing(long status) {
  switch (status) {
    case 401:
    case 403:
    case 404:
    case 407:
    case 408:
    case 421:
    case 423:
    case 425:
    case 429:
      return true;
    default:
      return status >= 500;
  }
}

}  // namespace

Result<HttpResponse> http_post(const HttpRequest& request, Deadline deadline) {
  const CurlPtr<CURL> handle(curl_easy_init());
  if (handle == nullptr) return Error{ErrorCode::kInternal, "libcurl cannot start"};
  const auto target = target_of(request.url);
  if (!target) return Error{ErrorCode::kInvalidArgument, "not a URL"};
  static const TargetPolicy kNoList;
  Gate gate{request.targets == nullptr ? &kNoList : request.targets.get(), false, ""};
  gate.named = gate.policy->names(target->host, target->port);
  const CurlPtr<curl_slist> headers = header_list(request);
  HttpResponse response;
  CURL* curl = handle.get();
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);  // a name server that hangs holds nothing up beyond the deadline
  // A timeout of 0 would mean "for ever".
  const long left = std::max<long>(1, static_cast<long>(deadline.left() / kMillisecond));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, left);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, left);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "driftd");
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_POST, 1L);
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.data());
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &response.body);
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, &gate);
  if (!request.ca_file.empty()) {
    curl_easy_setopt(curl, CURLOPT_CAINFO, request.ca_file.c_str());
    curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);  // the system's folder would count beside it
  }
  const CURLcode code = perform(curl, request.stop);
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &response.status);
  const bool cut = code == CURLE_WRITE_ERROR && response.body.size() == kMaxBody;
  if (code != CURLE_OK && !gate.refused.empty()) {
    if (request.secret_url) return Error{ErrorCode::kUnavailable, "the address of its host is not allowed by alerts.allowed_targets"};
    return Error{ErrorCode::kUnavailable, "the address " + gate.refused + " of " + excerpt(target->host, 100) +
                                              " is not allowed; list it in alerts.allowed_targets if it is right"};
  }
  if (code != CURLE_OK && !cut) return Error{ErrorCode::kUnavailable, curl_easy_strerror(code)};
  if (request.secret_url) response.body.clear();
  curl_off_t wait = 0;
  curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &wait);
  response.retry_after = std::clamp<curl_off_t>(wait, 0, kMaxRetryAfter / kSecond) * kSecond;
  return response;
}

Delivery delivery_of(const Result<HttpResponse>& response) {
  using R = Delivery::Result;
  if (!response) return {R::kRetry, 0, response.error().message};
  const long status = response->status;
  std::string detail = "HTTP " + std::to_string(status);
  if (status >= 200 && status < 300) return {R::kDelivered, 0, detail};
  if (!response->body.empty()) detail += ": " + excerpt(response->body, kShownBody);
  if (is_passing(status)) {
    return {R::kRetry, response->retry_after, detail};
  }
  if (status == 410) return {R::kGone, 0, detail};
  if (status >= 300 && status < 400) detail += " (redirects are not followed)";
  return {R::kRejected, 0, detail};
}

Status check_url(const std::string& url) {
  // The URL itself is not repeated in messages: it may hold a password.
  const Error wrong{ErrorCode::kInvalidArgument, "url must be an absolute http:// or https:// URL without user or password"};
  if (!url.starts_with("http://") && !url.starts_with("https://")) return wrong;
  if (std::any_of(url.begin(), url.end(), [](unsigned char c) { return c <= ' ' || c == 0x7f; })) {
    return wrong;
  }
  return target_of(url) ? ok_status() : wrong;
}

std::string origin_of(const std::string& url) {
  const auto target = target_of(url);
  if (!target) return "a URL that is none";
  return url.substr(0, url.find("://")) + "://" + excerpt(target->host, 100) + ":" + std::to_string(target->port);
}

Status check_target(const std::string& url, const Targets& targets) {
  if (Status s = check_url(url); !s) return s;
  const auto target = target_of(url);
  if (targets == nullptr || !target || targets->possible(target->host, target->port)) return {};
  return Error{ErrorCode::kInvalidArgument, "the host " + excerpt(target->host, 100) + " with port " + std::to_string(target->port) +
                                                " is not in alerts.allowed_targets"};
}

}  // namespace driftd::alerts

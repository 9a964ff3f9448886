#include "alerts/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <memory>

#include "core/text.h"

namespace driftd::alerts {
namespace {

constexpr std::size_t kMaxBody = 64 * 1024;
constexpr std::size_t kShownBody = 160;
constexpr Duration kMaxRetryAfter = kDay;

struct CurlDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
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

CurlPtr<curl_slist> header_list(const HttpRequest& request) {
  curl_slist* list = nullptr;
  for (const auto& [name, value] : request.headers) {
    list = curl_slist_append(list, (name + ": " + value).c_str());
  }
  return CurlPtr<curl_slist>(curl_slist_append(list, "Expect:"));  // no wait for a 100 Continue
}

}  // namespace

Result<HttpResponse> http_post(const HttpRequest& request, Deadline deadline) {
  const CurlPtr<CURL> handle(curl_easy_init());
  if (handle == nullptr) return Error{ErrorCode::kInternal, "libcurl cannot start"};
  const CurlPtr<curl_slist> headers = header_list(request);
  HttpResponse response;
  CURL* curl = handle.get();
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
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
  if (!request.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, request.ca_file.c_str());
  const CURLcode code = curl_easy_perform(curl);
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &response.status);
  const bool cut = code == CURLE_WRITE_ERROR && response.body.size() == kMaxBody;
  if (code != CURLE_OK && !cut) return Error{ErrorCode::kUnavailable, curl_easy_strerror(code)};
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
  if (status == 408 || status == 429 || status >= 500) {
    return {R::kRetry, response->retry_after, detail};
  }
  if (status == 410) return {R::kGone, 0, detail};
  if (status >= 300 && status < 400) detail += " (redirects are not followed)";
  return {R::kRejected, 0, detail};
}

Status check_url(const std::string& url) {
  // The URL itself is not repeated in messages: it may hold a password.
  const Error wrong{ErrorCode::kInvalidArgument,
                    "url must be an absolute http:// or https:// URL without user or password"};
  if (!url.starts_with("http://") && !url.starts_with("https://")) return wrong;
  if (std::any_of(url.begin(), url.end(), [](unsigned char c) { return c <= ' ' || c == 0x7f; })) {
    return wrong;
  }
  const CurlPtr<CURLU> parsed(curl_url());
  if (parsed == nullptr ||
      curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), CURLU_DISALLOW_USER) != CURLUE_OK) {
    return wrong;
  }
  return {};
}

}  // namespace driftd::alerts

#include "core/resolve.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace driftd {
namespace {

// Takes an address that libcurl would connect to, and has it try the next.
curl_socket_t take(void* user, curlsocktype, curl_sockaddr* address) {
  SocketAddress taken;
  taken.size = std::min<socklen_t>(address->addrlen, sizeof taken.storage);
  std::memcpy(&taken.storage, &address->addr, taken.size);
  static_cast<std::vector<SocketAddress>*>(user)->push_back(taken);
  return CURL_SOCKET_BAD;
}

}  // namespace

Result<std::vector<SocketAddress>> resolve(const std::string& host, int port, Duration patience) {
  const std::unique_ptr<CURL, void (*)(CURL*)> handle(curl_easy_init(), curl_easy_cleanup);
  if (handle == nullptr) return Error{ErrorCode::kInternal, "libcurl cannot start"};
  std::vector<SocketAddress> found;
  CURL* curl = handle.get();
  const bool bare_v6 = host.find(':') != std::string::npos && host.front() != '[';
  curl_easy_setopt(curl, CURLOPT_URL, ("http://" + (bare_v6 ? "[" + host + "]" : host)).c_str());
  curl_easy_setopt(curl, CURLOPT_PORT, static_cast<long>(port));
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, std::max<long>(1, static_cast<long>(patience / kMillisecond)));
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, take);
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, &found);
  const CURLcode code = curl_easy_perform(curl);
  if (!found.empty()) return found;
  return Error{ErrorCode::kUnavailable, code == CURLE_OPERATION_TIMEDOUT ? "no name server answers in time" : curl_easy_strerror(code)};
}

}  // namespace driftd

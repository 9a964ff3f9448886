// A tiny HTTP server on loopback for tests: remembers requests, answers what it is told.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace driftd::alerts {

class HttpServer {
 public:
  struct Request {
    std::string path;
    std::map<std::string, std::string> headers;  // names in lower case
    std::string body;
  };

  HttpServer() {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    listen(listener_, 16);
    socklen_t size = sizeof address;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~HttpServer() {
    stop_ = true;
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

  // What every request from now on is answered; `headers` with their line ends.
  void answer(int status, std::string headers = "", std::string body = "") {
    const std::scoped_lock lock(mutex_);
    answer_ = "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n" +
              headers + "\r\n" + body;
  }
  // Requests are read but not answered while this is set.
  void hang(bool on) { hang_ = on; }

  std::vector<Request> requests() const {
    const std::scoped_lock lock(mutex_);
    return requests_;
  }

 private:
  void serve() {
    while (!stop_) {
      const int client = accept(listener_, nullptr, nullptr);
      if (client < 0) return;
      handle(client);
      close(client);
    }
  }

  void handle(int client) {
    std::string text;
    std::size_t end = std::string::npos, length = 0;
    Request request;
    while (end == std::string::npos || text.size() < end + 4 + length) {
      char buffer[16384];
      const ssize_t n = recv(client, buffer, sizeof buffer, 0);
      if (n <= 0) return;
      text.append(buffer, static_cast<std::size_t>(n));
      if (end == std::string::npos && (end = text.find("\r\n\r\n")) != std::string::npos) {
        request = parse(text.substr(0, end));
        length = std::stoul("0" + request.headers["content-length"]);
      }
    }
    request.body = text.substr(end + 4, length);
    std::string answer;
    {
      const std::scoped_lock lock(mutex_);
      requests_.push_back(request);
      answer = answer_;
    }
    while (hang_ && !stop_) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    send(client, answer.data(), answer.size(), MSG_NOSIGNAL);
  }

  static Request parse(const std::string& head) {
    Request request;
    const std::size_t path = head.find(' ') + 1;
    request.path = head.substr(path, head.find(' ', path) - path);
    for (std::size_t at = head.find("\r\n"); at != std::string::npos; at = head.find("\r\n", at)) {
      at += 2;
      const std::size_t colon = head.find(": ", at);
      if (colon == std::string::npos) break;
      std::string name = head.substr(at, colon - at);
      for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      request.headers[name] = head.substr(colon + 2, head.find("\r\n", at) - colon - 2);
    }
    return request;
  }

  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stop_{false};
  std::atomic<bool> hang_{false};
  mutable std::mutex mutex_;
  std::string answer_ = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
  std::vector<Request> requests_;
  std::thread thread_;
};

}  // namespace driftd::alerts

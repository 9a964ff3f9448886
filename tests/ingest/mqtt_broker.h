// A small MQTT broker for one client, that does exactly what a test tells it: what real brokers
// cannot be made to do.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace driftd::ingest {

class MqttBroker {
 public:
  explicit MqttBroker(bool version_5) : version_5_(version_5) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_, 8), 0);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~MqttBroker() {
    stop_ = true;
    thread_.join();
    ::close(listener_);
  }
  MqttBroker(const MqttBroker&) = delete;
  MqttBroker& operator=(const MqttBroker&) = delete;

  std::string url() const { return "mqtt://127.0.0.1:" + std::to_string(port_); }

  // What CONNACK will say; 0 is welcome.
  std::atomic<bool> session_present{false};
  std::atomic<int> refuse{0};
  std::atomic<int> granted{1};
  // Called on the broker's thread for every PUBACK.
  std::function<void(int packet_id)> on_puback;

  std::atomic<int> sessions{0};  // CONNECTs answered
  std::atomic<int> subscribes{0};
  std::atomic<int> unsubscribes{0};

  std::vector<int> pubacks() const {
    const std::lock_guard lock(mutex_);
    return pubacks_;
  }
  void publish(const std::string& topic, const std::string& payload, int packet_id, bool dup = false, bool retain = false) {
    const int qos = packet_id == 0 ? 0 : 1;
    std::string body = text(topic);
    if (qos == 1) body += number(packet_id);
    if (version_5_) body += '\0';
    body += payload;
    const std::lock_guard lock(mutex_);
    to_send_ += packet(0x30 | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0), body);
  }
  void drop() { drop_ = true; }

 private:
  static std::string number(int v) { return {static_cast<char>(v >> 8), static_cast<char>(v & 0xff)}; }
  static std::string text(const std::string& s) { return number(static_cast<int>(s.size())) + s; }
  static std::string packet(int type, const std::string& body) {
    std::string out(1, static_cast<char>(type));
    std::size_t left = body.size();
    do {
      out += static_cast<char>(left % 128 + (left >= 128 ? 128 : 0));
      left /= 128;
    } while (left > 0);
    return out + body;
  }

  void run() {
    while (!stop_) {
      pollfd wait{listener_, POLLIN, 0};
      if (::poll(&wait, 1, 10) <= 0) continue;
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      serve(fd);
      ::close(fd);
    }
  }

  void serve(int fd) {
    std::string in;
    drop_ = false;
    bool welcome = false;
    while (!stop_ && !drop_) {
      if (welcome) {
        std::string out;
        {
          const std::lock_guard lock(mutex_);
          out.swap(to_send_);
        }
        send(fd, out);
      }
      pollfd wait{fd, POLLIN, 0};
      if (::poll(&wait, 1, 2) <= 0) continue;
      char buffer[4096];
      const ssize_t n = ::recv(fd, buffer, sizeof buffer, 0);
      if (n <= 0) return;
      in.append(buffer, static_cast<std::size_t>(n));
      while (take(fd, in, welcome)) {
      }
    }
  }

  static void send(int fd, const std::string& bytes) {
    if (bytes.empty()) return;
    EXPECT_EQ(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }

  // One packet of the client's; false when it is not all there.
  bool take(int fd, std::string& in, bool& welcome) {
    std::size_t size = 0, at = 1;
    for (int shift = 0;; shift += 7, ++at) {
      if (at >= in.size()) return false;
      size |= static_cast<std::size_t>(in[at] & 127) << shift;
      if ((in[at] & 128) == 0) break;
    }
    ++at;
    if (in.size() < at + size) return false;
    const int type = static_cast<unsigned char>(in[0]) >> 4;
    const std::string body = in.substr(at, size);
    in.erase(0, at + size);
    const std::string properties(version_5_ ? 1 : 0, '\0');
    const auto id = [&] { return static_cast<unsigned char>(body[0]) << 8 | static_cast<unsigned char>(body[1]); };
    switch (type) {
      case 1: {  // CONNECT
        const bool present = session_present;
        send(fd, packet(0x20, std::string(1, static_cast<char>(present)) + static_cast<char>(refuse.load()) + properties));
        welcome = refuse == 0;
        ++sessions;
        break;
      }
      case 4:  // PUBACK
        if (on_puback) on_puback(id());
        {
          const std::lock_guard lock(mutex_);
          pubacks_.push_back(id());
        }
        break;
      case 8:  // SUBSCRIBE of one topic
        ++subscribes;
        send(fd, packet(0x90, number(id()) + properties + static_cast<char>(granted.load())));
        break;
      case 10:  // UNSUBSCRIBE
        ++unsubscribes;
        send(fd, packet(0xb0, number(id()) + properties + (version_5_ ? std::string(1, '\0') : "")));
        break;
      case 12:  // PINGREQ
        send(fd, packet(0xd0, ""));
        break;
      default:
        break;
    }
    return true;
  }

  bool version_5_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stop_{false};
  std::atomic<bool> drop_{false};
  mutable std::mutex mutex_;
  std::string to_send_;
  std::vector<int> pubacks_;
  std::thread thread_;
};

}  // namespace driftd::ingest

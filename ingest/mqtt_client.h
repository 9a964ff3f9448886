// MqttClient: libmosquitto driven by hand, so that an acknowledgement leaves when we say so.
//
// libmosquitto queues a message's PUBACK before it gives us the message, and has no manual
// acknowledgement. But a client told that another thread does its network (mosquitto_threaded_set)
// never writes by itself: what is queued leaves only in mosquitto_loop_write, which only flush()
// calls. So: read(), make what came durable, flush(). tests/ingest/mqtt_source_test.cc pins that
// order with a broker of its own, because the library does not document it; so versions outside
// kTestedVersions are refused.
// Thread-safety: none. Cost: a copy of each message.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"

struct mosquitto;
struct mosquitto_message;

namespace driftd::ingest {

struct MqttSettings {
  std::string host;
  int port = 1883;
  bool tls = false;
  std::string ca_file;  // empty: the system's authorities
  std::string cert_file, key_file;
  std::string client_id;
  std::string username, password_file;
  std::vector<std::string> topics;
  bool version_5 = true;
  bool retained = false;               // take retained messages, too
  int keep_alive = 60;                 // seconds
  int receive_maximum = 1000;          // messages the broker may leave unacknowledged (MQTT 5)
  Duration session_expiry = 7 * kDay;  // MQTT 5
  std::size_t max_record = 1U << 20;   // bytes kept of a payload, and one more
};

// Versions of libmosquitto with which the order above holds, as mosquitto_lib_version() numbers them
// (2.0.11: 2000011): from Debian 12's, with which the tests run, to the last of 2.0, which gets fixes only. Before widening it: run
// tests/ingest/mqtt_source_test.cc with the new version, and read packet__queue and handle__publish in its source.
struct MqttVersions {
  int first = 2'000'011;
  int end = 2'001'000;  // the first that is none
};
inline constexpr MqttVersions kTestedVersions;

// Error{kUnavailable}: `version` is none of them; says what to do.
Status check_mqtt_version(int version);

struct MqttMessage {
  std::uint32_t packet_id = 0;  // 0 at QoS 0
  bool dup = false;             // known only after watch_dup(true)
  std::string_view topic, payload;
};

class MqttClient {
 public:
  // What happened on the connection, told from inside read().
  struct Events {
    std::function<void(bool session_present)> connected;
    std::function<void(const std::vector<int>& granted)> subscribed;  // QoS a topic; 128: refused
    std::function<void(const MqttMessage&)> message;
  };
  // Refuses a library that it has not been tested with.
  static Result<std::unique_ptr<MqttClient>> make(const MqttSettings& settings, Events events);
  // The same for who wants to know it before: check_mqtt_version() of the library that this process has.
  static Status check_library();
  ~MqttClient();  // drops the connection; what was not flushed never leaves
  MqttClient(const MqttClient&) = delete;
  MqttClient& operator=(const MqttClient&) = delete;

  // Blocks for the name service and at most 5 s for the server.
  Status connect();
  void subscribe();
  void unsubscribe(const std::vector<std::string>& topics);
  void watch_dup(bool yes);
  // Waits for the socket until the deadline, then reads until it is dry or `enough` says so. Writes
  // nothing. An Error is the end of the connection.
  Status read(Deadline deadline, const std::function<bool()>& enough);
  // Lets acknowledgements and everything else that waits leave.
  Status flush();
  // Ends the connection in good order; the session stays.
  void disconnect();

 private:
  MqttClient(const MqttSettings& settings, Events events);
  Status init();
  void on_message(const mosquitto_message& message);
  void on_log(std::string_view text);
  Status lost(int code);
  bool decrypted() const;

  MqttSettings settings_;
  Events events_;
  mosquitto* client_ = nullptr;
  bool dup_ = false;       // of the message being read
  bool answered_ = false;  // the broker, to CONNECT
  std::string refused_;    // why the broker does not want us
};

}  // namespace driftd::ingest

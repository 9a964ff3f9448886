#include "ingest/mqtt_client.h"

#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <openssl/ssl.h>
#include <poll.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "core/key_pair.h"
#include "core/secret.h"
#include "core/text.h"
#include "ingest/reach.h"

namespace driftd::ingest {
namespace {

constexpr Duration kConnectPatience = 5 * kSecond;

Error error_of(int code, const std::string& what) {
  const std::string why = code == MOSQ_ERR_ERRNO ? std::strerror(errno) : mosquitto_strerror(code);
  return {ErrorCode::kUnavailable, "mqtt: " + what + ": " + why};
}

struct Properties {
  mosquitto_property* list = nullptr;
  ~Properties() { mosquitto_property_free_all(&list); }
};

std::vector<char*> as_array(const std::vector<std::string>& topics) {
  std::vector<char*> out;
  for (const std::string& topic : topics) out.push_back(const_cast<char*>(topic.c_str()));
  return out;
}

std::string version_text(int version) {
  return std::to_string(version / 1'000'000) + "." + std::to_string(version / 1000 % 1000) + "." + std::to_string(version % 1000);
}

}  // namespace

Status check_mqtt_version(int version) {
  const auto& [first, end] = kTestedVersions;
  if (version >= first && version < end) return {};
  return Error{ErrorCode::kUnavailable, "libmosquitto " + version_text(version) + " is not tested with driftd (" + version_text(first) +
                                            " or later, below " + version_text(end) +
                                            " is): it may acknowledge messages before they are on the disk, which a crash would then lose; "
                                            "install libmosquitto1 of a tested version (Debian 12 has one)"};
}

Status MqttClient::check_library() { return check_mqtt_version(mosquitto_lib_version(nullptr, nullptr, nullptr)); }

Result<std::unique_ptr<MqttClient>> MqttClient::make(const MqttSettings& settings, Events events) {
  if (const Status s = check_library(); !s) return s.error().at("mqtt");
  static const int ready = mosquitto_lib_init();  // the library's own, once a process
  if (ready != MOSQ_ERR_SUCCESS) return error_of(ready, "starting the library");
  std::unique_ptr<MqttClient> client(new MqttClient(settings, std::move(events)));
  if (const Status s = client->init(); !s) return s.error();
  return client;
}

MqttClient::MqttClient(const MqttSettings& settings, Events events) : settings_(settings), events_(std::move(events)) {}

MqttClient::~MqttClient() {
  if (client_ != nullptr) mosquitto_destroy(client_);
}

Status MqttClient::init() {
  client_ = mosquitto_new(settings_.client_id.c_str(), false, this);
  if (client_ == nullptr) return error_of(MOSQ_ERR_ERRNO, "making a client");
  const auto done = [](int code, const std::string& what) { return code == MOSQ_ERR_SUCCESS ? Status() : Status(error_of(code, what)); };
  mosquitto_threaded_set(client_, true);
  mosquitto_int_option(client_, MOSQ_OPT_PROTOCOL_VERSION, settings_.version_5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311);
  mosquitto_int_option(client_, MOSQ_OPT_RECEIVE_MAXIMUM, settings_.receive_maximum);
  mosquitto_int_option(client_, MOSQ_OPT_TCP_NODELAY, 1);
  if (!settings_.username.empty()) {
    std::string password;
    if (!settings_.password_file.empty()) {
      auto read = read_secret(settings_.password_file);
      if (!read) return read.error().at("mqtt: password_file");
      password = std::move(*read);
    }
    const int code = mosquitto_username_pw_set(client_, settings_.username.c_str(), password.empty() ? nullptr : password.c_str());
    if (const Status s = done(code, "user name"); !s) return s;
  }
  if (settings_.tls) {
    const auto file = [](const std::string& path) { return path.empty() ? nullptr : path.c_str(); };
    int code = settings_.ca_file.empty() ? mosquitto_int_option(client_, MOSQ_OPT_TLS_USE_OS_CERTS, 1) : MOSQ_ERR_SUCCESS;
    if (code == MOSQ_ERR_SUCCESS && (!settings_.ca_file.empty() || !settings_.cert_file.empty())) {
      code = mosquitto_tls_set(client_, file(settings_.ca_file), settings_.ca_file.empty() ? "/etc/ssl/certs" : nullptr,
                               file(settings_.cert_file), file(settings_.key_file), no_passphrase);
    }
    if (code == MOSQ_ERR_SUCCESS) code = mosquitto_tls_opts_set(client_, 1, "tlsv1.2", nullptr);
    if (const Status s = done(code, "TLS settings (ca_file, cert_file, key_file)"); !s) return s;
  }
  mosquitto_connect_with_flags_callback_set(client_, [](mosquitto*, void* self, int code, int flags) {
    auto* client = static_cast<MqttClient*>(self);
    client->answered_ = true;
    if (code == 0) return client->events_.connected((flags & 1) != 0);
    client->refused_ = client->settings_.version_5 ? mosquitto_reason_string(code) : mosquitto_connack_string(code);
    if (client->settings_.version_5 && (code == 1 || code == MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION))
      client->refused_ += "; set version: 3.1.1";
  });
  mosquitto_subscribe_callback_set(client_, [](mosquitto*, void* self, int, int count, const int* granted) {
    static_cast<MqttClient*>(self)->events_.subscribed({granted, granted + count});
  });
  mosquitto_message_callback_set(
      client_, [](mosquitto*, void* self, const mosquitto_message* message) { static_cast<MqttClient*>(self)->on_message(*message); });
  return {};
}

Status MqttClient::connect() {
  if (settings_.tls && !settings_.cert_file.empty()) {  // the library reads them anew, and would name none
    if (const Status s = try_certificate(settings_.cert_file); !s) return s.error().at("mqtt: cert_file");
    if (const Status s = try_key(settings_.key_file, settings_.cert_file); !s) return s.error().at("mqtt: key_file");
  }
  if (const Status s = reach(settings_.host, settings_.port, kConnectPatience); !s) return s;
  refused_.clear();
  answered_ = false;
  Properties properties;
  if (settings_.version_5) {
    const auto seconds = static_cast<std::uint32_t>(std::min<Duration>(settings_.session_expiry / kSecond, 0xfffffffe));
    mosquitto_property_add_int32(&properties.list, MQTT_PROP_SESSION_EXPIRY_INTERVAL, seconds);
  }
  const int code =
      mosquitto_connect_bind_v5(client_, settings_.host.c_str(), settings_.port, settings_.keep_alive, nullptr, properties.list);
  return code == MOSQ_ERR_SUCCESS ? Status() : lost(code);
}

void MqttClient::subscribe() {
  std::vector<char*> topics = as_array(settings_.topics);
  const int handling = settings_.retained ? MQTT_SUB_OPT_SEND_RETAIN_NEW : MQTT_SUB_OPT_SEND_RETAIN_NEVER;
  const int options = settings_.version_5 ? handling : 0;
  mosquitto_subscribe_multiple(client_, nullptr, static_cast<int>(topics.size()), topics.data(), 1, options, nullptr);
}

void MqttClient::unsubscribe(const std::vector<std::string>& topics) {
  std::vector<char*> array = as_array(topics);
  mosquitto_unsubscribe_multiple(client_, nullptr, static_cast<int>(array.size()), array.data(), nullptr);
}

// The library tells the flag in no other way than its log.
void MqttClient::watch_dup(bool yes) {
  dup_ = false;
  if (!yes) return mosquitto_log_callback_set(client_, nullptr);
  mosquitto_log_callback_set(client_, [](mosquitto*, void* self, int, const char* text) { static_cast<MqttClient*>(self)->on_log(text); });
}

void MqttClient::on_log(std::string_view text) {
  if (const auto at = text.find("received PUBLISH (d"); at != std::string_view::npos) dup_ = text.substr(at + 19, 1) == "1";
}

void MqttClient::on_message(const mosquitto_message& message) {
  if (message.retain && !settings_.retained) return;
  MqttMessage out;
  out.packet_id = message.qos == 0 ? 0 : static_cast<std::uint32_t>(message.mid);
  out.dup = dup_;
  out.topic = message.topic;
  if (message.payload != nullptr) {
    const std::size_t size = static_cast<std::size_t>(message.payloadlen);
    out.payload = {static_cast<const char*>(message.payload), std::min(size, settings_.max_record + 1)};
  }
  events_.message(out);
}

Status MqttClient::lost(int code) {
  if (!refused_.empty()) return Error{ErrorCode::kUnavailable, "mqtt: the broker refuses the connection: " + refused_};
  Error error = error_of(code, "connection to " + settings_.host + ":" + std::to_string(settings_.port));
  if (!settings_.tls || answered_) return error;
  // With TLS 1.3 a client hears nothing of its own certificate's refusal but the end.
  if (code == MOSQ_ERR_CONN_LOST) {
    error.message += settings_.cert_file.empty() ? " The broker may want a client's certificate (tls.cert_file, tls.key_file)."
                                                 : " The broker may refuse the client's certificate (tls.cert_file).";
  } else if (code == MOSQ_ERR_TLS) {
    error.message += " The broker's certificate may be of an authority that is not trusted (tls.ca_file), or of another host.";
  }
  return error;
}

// The rest of a TLS record, which the socket does not show. The library (2.0) reads one packet of it, and goes on only while errno is not
// EAGAIN, which what it writes for threads that nobody waits in leaves behind.
bool MqttClient::decrypted() const {
  const auto* ssl = static_cast<const SSL*>(mosquitto_ssl_get(client_));
  return ssl != nullptr && SSL_pending(ssl) > 0;
}

Status MqttClient::read(Deadline deadline, const std::function<bool()>& enough) {
  const int socket = mosquitto_socket(client_);
  if (socket < 0) return lost(MOSQ_ERR_CONN_LOST);
  const short events = static_cast<short>(POLLIN | (mosquitto_want_write(client_) ? POLLOUT : 0));
  pollfd fd{socket, events, 0};
  const int wait = static_cast<int>((deadline.left() + kMillisecond - 1) / kMillisecond);
  ::poll(&fd, 1, decrypted() ? 0 : wait);
  while (((fd.revents & (POLLIN | POLLERR | POLLHUP)) != 0 || decrypted()) && !enough()) {
    if (const int code = mosquitto_loop_read(client_, 1); code != MOSQ_ERR_SUCCESS) return lost(code);
    fd = {mosquitto_socket(client_), POLLIN, 0};
    if (fd.fd < 0) return lost(MOSQ_ERR_CONN_LOST);
    ::poll(&fd, 1, 0);
  }
  return {};
}

Status MqttClient::flush() {
  while (mosquitto_want_write(client_)) {
    pollfd fd{mosquitto_socket(client_), POLLOUT, 0};
    if (fd.fd < 0) return lost(MOSQ_ERR_CONN_LOST);
    if (::poll(&fd, 1, 0) <= 0) break;  // the broker is slow: the rest leaves next time
    if (const int code = mosquitto_loop_write(client_, 1); code != MOSQ_ERR_SUCCESS) return lost(code);
  }
  const int code = mosquitto_loop_misc(client_);
  return code == MOSQ_ERR_SUCCESS ? Status() : lost(code);
}

void MqttClient::disconnect() {
  mosquitto_disconnect(client_);
  (void)flush();
}

}  // namespace driftd::ingest

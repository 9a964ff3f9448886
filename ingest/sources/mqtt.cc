// MQTT source: its parameters and their checks; the source itself is ingest/mqtt_source.cc.
#include <algorithm>
#include <charconv>

#include "core/text.h"
#include "core/unit_problems.h"
#include "ingest/journal_options.h"
#include "ingest/mqtt_source.h"

namespace driftd::ingest {
namespace {

Error bad(const std::string& why) { return {ErrorCode::kInvalidArgument, why}; }

// mqtt://host[:port] or mqtts://host[:port]; an IPv6 address stands in brackets. No error repeats it: whatever is wrong with it, a
// password may stand in it.
Status read_url(const std::string& url, MqttSettings& out) {
  std::string_view rest = url;
  const auto take = [&](std::string_view prefix) {
    if (!rest.starts_with(prefix)) return false;
    rest.remove_prefix(prefix.size());
    return true;
  };
  if (rest.find('@') != std::string_view::npos) return bad("'url' takes no user or password; use username and password_file");
  out.tls = take("mqtts://");
  if (!out.tls && !take("mqtt://")) return bad("'url' must start with mqtt:// or mqtts://; write mqtt://host:1883 or mqtts://host:8883");
  if (rest.ends_with('/')) rest.remove_suffix(1);
  std::string_view host = rest;
  std::string_view port;
  const std::size_t colon = rest.find_last_of(':');
  if (colon != std::string_view::npos && rest.find(']', colon) == std::string_view::npos) {
    host = rest.substr(0, colon);
    port = rest.substr(colon + 1);
  }
  const bool brackets = host.starts_with('[') && host.ends_with(']');
  if (brackets) host = host.substr(1, host.size() - 2);
  out.port = out.tls ? 8883 : 1883;
  if (!port.empty()) {
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
    if (error != std::errc() || end != port.data() + port.size() || out.port < 1 || out.port > 65535) {
      return bad("'url' has no valid port; it is a number from 1 to 65535 behind the host");
    }
  }
  if (host.empty()) return bad("'url' has no host; write mqtt://host:1883 or mqtts://host:8883");
  // An escaped '@' among others: what stands before it would be logged as a part of the host.
  if (!brackets && host.find_first_of(" :/?#%[]") != std::string_view::npos)
    return bad("'url' has a host that is neither a name nor an address; an IPv6 address stands in brackets, and nothing behind the port");
  out.host = std::string(host);
  return {};
}

// MQTT 5, 4.7: '#' alone in the last level, '+' alone in a level.
Status check_topic(const std::string& topic) {
  const auto refuse = [&](const std::string& why) { return bad("topic '" + excerpt(topic) + "': " + why); };
  if (topic.empty() || topic.size() > 65535) return refuse("must have 1 to 65535 bytes");
  std::size_t at = 0;
  while (true) {
    const std::size_t end = std::min(topic.find('/', at), topic.size());
    const std::string_view level = std::string_view(topic).substr(at, end - at);
    if (level.find_first_of("#+") != std::string_view::npos && level.size() != 1)
      return refuse("'#' and '+' must stand alone in their level");
    if (level == "#" && end != topic.size()) return refuse("'#' must be the last level");
    if (end == topic.size()) return {};
    at = end + 1;
  }
}

void check_topics(const Params& params, UnitProblems& problems) {
  const auto& topics = params.texts("topics");
  if (topics.empty()) problems.add("topics", "'topics' is empty");
  for (std::size_t i = 0; i < topics.size(); ++i) {
    const Node& at = item_of(params, "topics", i);
    if (const Status s = check_topic(topics[i]); !s) problems.add(at, s.error().message);
    if (std::find(topics.begin(), topics.begin() + static_cast<std::ptrdiff_t>(i), topics[i]) !=
        topics.begin() + static_cast<std::ptrdiff_t>(i))
      problems.add(at, "topic '" + excerpt(topics[i]) + "' is named twice");
  }
}

void read_login(const Params& params, MqttSettings& settings, UnitProblems& problems) {
  settings.client_id = params.text("client_id");
  if (settings.client_id.empty() || settings.client_id.size() > 65535 || settings.client_id.find_first_of(" \n\r") != std::string::npos)
    problems.add("client_id", "'client_id' must not be empty or have white space");
  settings.username = params.text("username");
  settings.password_file = params.text("password_file");
  if (!settings.password_file.empty() && settings.username.empty()) problems.add("password_file", "'password_file' needs 'username'");
  problems.add_unreadable_secret("password_file");
  const Params& tls = params.nested("tls");
  settings.ca_file = tls.text("ca_file");
  settings.cert_file = tls.text("cert_file");
  settings.key_file = tls.text("key_file");
  problems.add_unfit_authority(tls, "ca_file");
  problems.add_unfit_pair(tls, "cert_file", "key_file");
  if (params.has("tls") && !settings.tls) problems.add("tls", "'tls' needs an mqtts:// url");
  if (settings.cert_file.empty() != settings.key_file.empty()) problems.add("tls", "'tls' needs both cert_file and key_file, or neither");
}

// A message that the journal can never take would come again with each connection, and nothing behind it.
void check_journal(const Params& params, const SourceContext& context, UnitProblems& problems) {
  const std::uint64_t needed = smallest_mqtt_journal(params.size("max_record"));
  if (context.journal_cap >= needed || context.journal_cap == 0) return;  // 0: it could not be read
  problems.add("max_record", "a journal of " + std::to_string(context.journal_cap) + " bytes has no room for messages of 'max_record' (" +
                                 std::to_string(params.size("max_record")) + "): raise service.limits.journal to " +
                                 std::to_string(needed) + " at least, or lower 'max_record'");
}

Result<std::unique_ptr<Source>> make(const Params& params, const SourceContext& context) {
  UnitProblems problems(params, context.problems, "from: mqtt");
  MqttSettings settings;
  const Status url = read_url(params.text("url"), settings);
  if (!url) problems.add("url", url.error().message);
  check_topics(params, problems);
  if (!url) settings.tls = true;  // whatever it was to be, `tls` is no second mistake
  read_login(params, settings, problems);
  check_journal(params, context, problems);
  if (const Status s = MqttClient::check_library(); !s) problems.add(params.node("url"), s.error().message);
  if (problems.done()) return problems.result<Source>();
  settings.topics = params.texts("topics");
  settings.version_5 = params.text("version") == "5";
  settings.retained = params.boolean("retained");
  settings.keep_alive = static_cast<int>(params.duration("keep_alive") / kSecond);
  settings.receive_maximum = static_cast<int>(params.integer("receive_maximum"));
  settings.session_expiry = params.duration("session_expiry");
  settings.max_record = params.size("max_record");
  return make_mqtt_source(std::move(settings), journal_options(params, context), context);
}

std::vector<ParamSpec> tls_params() {
  return {
      {.name = "ca_file", .sentence = "PEM file of the authorities to trust instead of the system's"},
      {.name = "cert_file", .sentence = "PEM file of the client's certificate"},
      {.name = "key_file", .sentence = "PEM file of the client's key, not encrypted"},
  };
}

std::vector<ParamSpec> params() {
  std::vector<ParamSpec> out = {
      {.name = "url", .sentence = "The broker, mqtt://host:1883 or mqtts://host:8883", .required = true},
      {.name = "topics",
       .type = ParamType::kTextList,
       .sentence = "Topics to subscribe to, with + and # as MQTT has them",
       .required = true},
      {.name = "topic_fields",
       .sentence = "Fields that are levels of the topic: _/site/_ makes the second level of "
                   "plant/north/pump-7 the field site, as path: @topic/2 of the field does; _ is a "
                   "level that is none"},
      {.name = "client_id", .sentence = "Name of the session at the broker; fixed, and one for each driftd and stream", .required = true},
      {.name = "version", .type = ParamType::kChoice, .sentence = "Version of MQTT", .default_text = "5", .choices = {"5", "3.1.1"}},
      {.name = "username", .sentence = "User name"},
      {.name = "password_file", .sentence = "File whose first line is the password, or credential:NAME"},
      {.name = "tls",
       .type = ParamType::kNode,
       .sentence = "Certificates for mqtts; the broker's is always verified",
       .fields = tls_params()},
      {.name = "retained",
       .type = ParamType::kBoolean,
       .sentence = "Whether retained messages count, which a broker sends again with every new "
                   "session",
       .default_text = "false"},
      {.name = "receive_maximum",
       .type = ParamType::kInteger,
       .sentence = "Messages the broker may leave unacknowledged, and so the most that share one "
                   "write to the disk; MQTT 5 only, before it the broker's max_inflight_messages",
       .default_text = "1000",
       .min = 1,
       .max = 16384},
      {.name = "session_expiry",
       .type = ParamType::kDuration,
       .sentence = "How long the broker keeps messages while driftd is away; MQTT 5 only",
       .default_text = "7d",
       .min = 60},
      {.name = "keep_alive",
       .type = ParamType::kDuration,
       .sentence = "How long the connection may be silent",
       .default_text = "60s",
       .min = 5,
       .max = 65535},
      {.name = "max_record",
       .type = ParamType::kSize,
       .sentence = "Longest record; longer ones are cut and rejected as too_large; not below "
                   "decode.max_record, and well below service.limits.journal",
       .default_text = "1MiB",
       .min = 64,
       .max = 1U << 30},
  };
  for (ParamSpec& spec : journal_params()) out.push_back(std::move(spec));
  return out;
}

}  // namespace

void register_mqtt(SourceRegistry& registry) {
  Descriptor d;
  d.name = "mqtt";
  d.summary = "Subscribes to MQTT topics and journals each message before it acknowledges it.";
  d.applies_to = "stream";
  d.params = params();
  d.source = "MQTT 3.1.1 and MQTT 5 (OASIS), libmosquitto 2.0";
  d.example =
      "from:\n"
      "  mqtt:\n"
      "    url: mqtts://broker:8883\n"
      "    topics: [plant/+/telemetry]\n"
      "    client_id: driftd-1\n"
      "    username: driftd\n"
      "    password_file: /run/secrets/mqtt\n";
  d.notes =
      "Subscribes with QoS 1 in a session that outlives the connection, so nothing that was "
      "published with QoS 1 or 2 is lost while driftd is away, as far as the broker keeps it: "
      "Mosquitto's defaults (persistence false, max_queued_messages 1000) do not. A message that "
      "the broker sends again after a lost connection or a crash is recognised by DUP flag, packet "
      "identifier, topic and payload, and counted in driftd_mqtt_redeliveries_total; a session "
      "that the broker has forgotten is logged and counted in driftd_mqtt_session_lost_total. When "
      "the journal is full (service.limits.journal) the connection is closed and the broker keeps "
      "what comes, until a checkpoint makes room. Records are spread over virtual partitions by their sensor, or by topic when "
      "the "
      "sensor is @topic or not in the JSON; plant/hall-3/pump-7 has the levels @topic/1 to @topic/3, for "
      "decode.sensor and the path of a field. The lag of partition 0 is that of the whole journal. "
      "Cost: one fdatasync for up to receive_maximum messages; Mosquitto's default of 20 with MQTT "
      "3.1.1 is slow.";
  registry.add(std::move(d), make);
}

}  // namespace driftd::ingest

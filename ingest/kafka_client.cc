#include "ingest/kafka_client.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>

#include "core/log.h"
#include "core/secret.h"
#include "core/text.h"
#include "core/unit_problems.h"
#include "ingest/kafka_files.h"

namespace driftd::ingest {
namespace {

// Options whose reason librdkafka gives together with the value, which may be secret.
bool is_secret(const std::string& name) {
  for (const char* part : {"password", "secret", "pem", "username", "jaas", "oauth"}) {
    if (name.find(part) != std::string::npos) return true;
  }
  return false;
}

// Options that delivery rests on: with another value records would be lost, jumped over in silence or
// read forever. isolation.level and partition.assignment.strategy may be chosen (a gate needs the
// former as it is; the configuration says so).
constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kOwn = {{
    {"group.id", "name the group in group"},
    {"group.instance.id", "name it in instance_id"},
    {"enable.auto.commit", "positions come from driftd's checkpoints"},
    {"auto.commit.enable", "positions come from driftd's checkpoints"},
    {"enable.auto.offset.store", "positions come from driftd's checkpoints"},
    {"auto.offset.reset", "say where to begin in start; a gap later on is counted"},
    {"enable.partition.eof", "driftd asks for the ends itself"},
    {"transactional.id", "name it in the gate's transactional_id"},
}};

// Brokers are logged, and librdkafka takes what stands before an '@' for a part of the host.
Status check_brokers(const std::string& what, const std::string& brokers) {
  if (brokers.find('@') == std::string::npos) return {};
  return Error{ErrorCode::kInvalidArgument,
               what +
                   " takes no user or password; write host:port, the user in the option sasl.username, and name a file in "
                   "sasl_password_file"};
}

// Secrets that would stand in the configuration, with what to write instead, and driftd's own.
Status check_options(const TextPairs& options) {
  for (const auto& [name, value] : options) {
    for (const auto& [own, why] : kOwn) {
      if (name != own) continue;
      return Error{ErrorCode::kInvalidArgument, "kafka: option '" + name + "' is driftd's own: " + std::string(why)};
    }
    if ((name == "enable.ssl.certificate.verification" && value != "true") ||
        (name == "ssl.endpoint.identification.algorithm" && value != "https")) {
      return Error{ErrorCode::kInvalidArgument,
                   "kafka: option '" + name + "': servers are always verified where TLS is on; name their authority in ssl.ca.location"};
    }
    if (name == "bootstrap.servers" || name == "metadata.broker.list") {
      if (const Status s = check_brokers("kafka: option '" + name + "'", value); !s) return s;
    }
    std::string instead;
    if (name == "sasl.password") instead = "name a file in sasl_password_file";
    if (name == "ssl.key.pem") instead = "name the key's file in ssl.key.location";
    if (name == "ssl.key.password" || name == "ssl.keystore.password") {
      instead = "use a key that is not encrypted, in a file that only driftd may read";
    }
    if (name == "ssl.keystore.location") {
      return Error{ErrorCode::kInvalidArgument,
                   "kafka: option '" + name +
                       "' needs a password, which is a secret, and secrets come from files only; name certificate and key in "
                       "ssl.certificate.location and ssl.key.location"};
    }
    if (name == "sasl.oauthbearer.client.secret" || name == "sasl.oauthbearer.config") {
      instead = "use SASL PLAIN over TLS, or client certificates";
    }
    if (instead.empty()) continue;
    return Error{ErrorCode::kInvalidArgument, "kafka: option '" + name + "' is a secret, and secrets come from files only; " + instead};
  }
  return {};
}

Status set_option(rd_kafka_conf_t* conf, const std::string& name, const std::string& value) {
  std::array<char, 512> why{};
  if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), why.data(), why.size()) == RD_KAFKA_CONF_OK) return {};
  const std::string reason = is_secret(name) ? "the value is not accepted" : why.data();
  return Error{ErrorCode::kInvalidArgument, "kafka: option '" + excerpt(name) + "': " + reason};
}

void write_log(const rd_kafka_t*, int level, const char* facility, const char* text) {
  if (level <= 4) {
    log::debug("librdkafka", {{"facility", facility}, {"text", excerpt(text, 400)}});
  }
}

Result<KafkaHandle> new_client(rd_kafka_type_t type, KafkaConf conf, void* opaque) {
  std::array<char, 512> why{};
  rd_kafka_conf_set_opaque(conf.get(), opaque);
  rd_kafka_t* made = rd_kafka_new(type, conf.get(), why.data(), why.size());
  if (made == nullptr) return Error{ErrorCode::kInvalidArgument, "kafka: " + with_kafka_files(why.data(), *conf)};
  (void)conf.release();  // now the client's
  return KafkaHandle(made, [](rd_kafka_t* rk) { rd_kafka_destroy(rk); });
}

}  // namespace

std::vector<ParamSpec> kafka_connection_params() {
  return {
      {.name = "brokers", .type = ParamType::kTextList, .sentence = "Brokers to start from, host:port", .required = true},
      {.name = "options",
       .type = ParamType::kTextMap,
       .sentence = "Options of librdkafka, passed on as they are (security.protocol, "
                   "sasl.mechanisms, ...); they win "
                   "over driftd's own, but for what delivery rests on"},
      {.name = "sasl_password_file",
       .type = ParamType::kText,
       .sentence = "File whose first line is the SASL password, or credential:NAME"},
  };
}

KafkaConnection kafka_connection(const Params& params) {
  return {params.texts("brokers"), params.text_map("options"), params.text("sasl_password_file")};
}

std::vector<std::pair<const Node*, std::string>> kafka_connection_problems(const Params& params, const TextPairs& inherited) {
  std::vector<std::pair<const Node*, std::string>> out;
  const std::vector<std::string>& brokers = params.texts("brokers");
  for (std::size_t i = 0; i < brokers.size(); ++i) {
    const Node& at = item_of(params, "brokers", i);
    if (brokers[i].empty()) out.emplace_back(&at, "a broker is empty");
    if (const Status s = check_brokers("a broker", brokers[i]); !s) out.emplace_back(&at, s.error().message);
  }
  const Node& options = params.node("options");
  for (const auto& option : params.text_map("options")) {
    const auto conf = kafka_conf({{"localhost"}, {option}, ""}, {});
    const Node* at = options.find(option.first);
    if (!conf) out.emplace_back(at != nullptr ? at : &options, conf.error().message);
  }
  TextPairs all = inherited;
  for (const auto& option : params.text_map("options")) all.push_back(option);
  const TextPairs said = kafka_file_problems(inherited);  // where these were written
  for (const auto& problem : kafka_file_problems(all)) {
    if (std::find(said.begin(), said.end(), problem) != said.end()) continue;
    const Node* at = options.find(problem.first);
    out.emplace_back(at != nullptr ? at : &options, "kafka: " + problem.second);
  }
  const std::string& file = params.text("sasl_password_file");
  if (file.empty()) return out;
  if (const auto password = read_secret(file); !password)
    out.emplace_back(&params.node("sasl_password_file"), "sasl_password_file: " + password.error().message);
  return out;
}

void KafkaConfDeleter::operator()(rd_kafka_conf_s* conf) const { rd_kafka_conf_destroy(conf); }

Result<KafkaConf> kafka_conf(const KafkaConnection& connection, const TextPairs& defaults) {
  const std::string brokers = join(connection.brokers, ",");
  if (const Status s = check_brokers("kafka: 'brokers'", brokers); !s) return s.error();
  if (const Status s = check_options(connection.options); !s) return s.error();
  KafkaConf conf(rd_kafka_conf_new());
  TextPairs all = {{"bootstrap.servers", brokers}, {"client.id", "driftd"}};
  all.insert(all.end(), defaults.begin(), defaults.end());
  all.insert(all.end(), connection.options.begin(), connection.options.end());
  if (!connection.password_file.empty()) {
    auto password = read_secret(connection.password_file);
    if (!password) return password.error().at("kafka: sasl_password_file");
    all.emplace_back("sasl.password", std::move(password).value());
  }
  for (const auto& [name, value] : all) {
    if (const Status status = set_option(conf.get(), name, value); !status.ok()) return status.error();
  }
  rd_kafka_conf_set_log_cb(conf.get(), write_log);
  return conf;
}

Result<KafkaHandle> kafka_consumer(KafkaConf conf, void* opaque) {
  auto handle = new_client(RD_KAFKA_CONSUMER, std::move(conf), opaque);
  if (handle) rd_kafka_poll_set_consumer(handle->get());
  return handle;
}

Result<KafkaHandle> kafka_producer(KafkaConf conf, void* opaque) { return new_client(RD_KAFKA_PRODUCER, std::move(conf), opaque); }

void keep_until_exit(KafkaHandle client) {
  static auto& mutex = *new std::mutex;
  static auto& kept = *new std::vector<KafkaHandle>;  // never destroyed
  rd_kafka_set_log_level(client.get(), 0);
  const std::scoped_lock lock(mutex);
  kept.push_back(std::move(client));
}

void KafkaListDeleter::operator()(rd_kafka_topic_partition_list_s* list) const { rd_kafka_topic_partition_list_destroy(list); }

KafkaList new_kafka_list() { return KafkaList(rd_kafka_topic_partition_list_new(8)); }

void add_offset(rd_kafka_topic_partition_list_s& list, const std::string& topic, std::int32_t partition, std::int64_t offset,
                const std::string& metadata) {
  rd_kafka_topic_partition_t* entry = rd_kafka_topic_partition_list_add(&list, topic.c_str(), partition);
  entry->offset = offset;
  if (metadata.empty()) return;
  entry->metadata = rd_kafka_mem_malloc(nullptr, metadata.size());  // the list's from now on
  entry->metadata_size = metadata.size();
  std::memcpy(entry->metadata, metadata.data(), metadata.size());
}

RawRecord raw_record(const rd_kafka_message_t& message) {
  const auto view = [](const void* data, std::size_t size) {
    return std::string_view(static_cast<const char*>(data), data == nullptr ? 0 : size);
  };
  RawRecord record;
  record.payload = view(message.payload, message.len);
  record.key = view(message.key, message.key_len);
  rd_kafka_timestamp_type_t type;
  const std::int64_t millis = rd_kafka_message_timestamp(&message, &type);
  const bool known = type != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE && millis >= 0 && millis < INT64_MAX / kMillisecond;
  if (known) record.arrival = millis * kMillisecond;
  record.position = message.offset;
  return record;
}

void KafkaMessages::clear() {
  for (rd_kafka_message_t* message : messages_) rd_kafka_message_destroy(message);
  messages_.clear();
}

std::int64_t KafkaMessages::next_offset() const { return messages_.back()->offset + 1; }

void KafkaMessages::hand_over(std::shared_ptr<KafkaMessages> messages, std::uint32_t partition, RawBatch& out) {
  out.partition = partition;
  out.next_position = messages->next_offset();
  const std::string_view topic = rd_kafka_topic_name(messages->messages_.front()->rkt);
  out.records.reserve(messages->size());
  for (const rd_kafka_message_t* message : messages->messages_) {
    out.records.push_back(raw_record(*message));
    out.records.back().topic = topic;
  }
  out.owner = std::move(messages);
}

}  // namespace driftd::ingest

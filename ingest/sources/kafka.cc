// Kafka source: its parameters and their checks; the source itself is ingest/kafka_source.cc.
#include <algorithm>

#include "core/text.h"
#include "ingest/kafka_source.h"

namespace driftd::ingest {
namespace {

Result<std::unique_ptr<Source>> make(const Params& params, const SourceContext& context) {
  KafkaSettings settings;
  settings.connection = kafka_connection(params);
  settings.topics = params.texts("topics");
  settings.group = params.text("group");
  settings.instance_id = params.text("instance_id");
  settings.from_latest = params.text("start") == "latest";
  const auto bad = [](const std::string& why) {
    return Error{ErrorCode::kInvalidArgument, "from: kafka: " + why};
  };
  if (settings.topics.empty()) return bad("'topics' is empty");
  for (const std::string& topic : settings.topics) {
    if (topic.empty() || topic.front() == '^')
      return bad("'topics' takes names, no patterns: '" + excerpt(topic) + "'");
    if (std::count(settings.topics.begin(), settings.topics.end(), topic) > 1) {
      return bad("topic '" + excerpt(topic) + "' is named twice");
    }
  }
  // Options that are wrong are errors of the configuration, so they are tried out now.
  if (auto conf = kafka_conf(settings.connection, {}); !conf) return conf.error().at("from");
  return make_kafka_source(std::move(settings), context);
}

}  // namespace

void register_kafka(SourceRegistry& registry) {
  Descriptor d;
  d.name = "kafka";
  d.summary = "Reads Kafka topics as a member of a consumer group.";
  d.applies_to = "stream";
  d.params = kafka_connection_params();
  d.params.push_back(
      {.name = "topics",
       .type = ParamType::kTextList,
       .sentence = "Names of the topics; their order numbers the partitions, so append new ones",
       .required = true});
  d.params.push_back({.name = "group",
                      .type = ParamType::kText,
                      .sentence = "Consumer group; replicas of one driftd share it",
                      .default_text = "driftd"});
  d.params.push_back({.name = "start",
                      .type = ParamType::kChoice,
                      .sentence = "Where a partition begins that driftd has no position of",
                      .default_text = "earliest",
                      .choices = {"earliest", "latest"}});
  d.params.push_back(
      {.name = "instance_id",
       .type = ParamType::kText,
       .sentence =
           "Static membership: a restart within the session timeout moves no partitions; one "
           "name a replica"});
  d.source = "librdkafka 2.0 (CONFIGURATION.md, STATISTICS.md)";
  d.example =
      "from:\n"
      "  kafka:\n"
      "    brokers: [broker1:9092, broker2:9092]\n"
      "    topics: [plant.pumps]\n"
      "    group: driftd\n"
      "    options: {security.protocol: sasl_ssl, sasl.mechanisms: PLAIN, sasl.username: "
      "driftd}\n"
      "    sasl_password_file: /run/secrets/kafka\n";
  d.notes =
      "Positions are kept by driftd; the group's offsets show progress only. Records that are gone "
      "before they "
      "were read (retention) are logged and counted in driftd_source_gaps_total. Options that "
      "driftd needs as "
      "they are: enable.auto.offset.store, enable.auto.commit, auto.offset.reset.";
  registry.add(std::move(d), make);
}

}  // namespace driftd::ingest

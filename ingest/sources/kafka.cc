// Kafka source: its parameters and their checks; the source itself is ingest/kafka_source.cc.
#include <algorithm>

#include "core/text.h"
#include "core/unit_problems.h"
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
  UnitProblems problems(params, context.problems, "from: kafka");
  const auto& topics = settings.topics;
  if (topics.empty()) problems.add("topics", "'topics' is empty");
  for (std::size_t i = 0; i < topics.size(); ++i) {
    const std::string& topic = topics[i];
    const Node& at = item_of(params, "topics", i);
    if (topic.empty() || topic.front() == '^') problems.add(at, "'topics' takes names, no patterns: '" + excerpt(topic) + "'");
    if (std::find(topics.begin(), topics.begin() + static_cast<std::ptrdiff_t>(i), topic) !=
        topics.begin() + static_cast<std::ptrdiff_t>(i))
      problems.add(at, "topic '" + excerpt(topic) + "' is named twice");
  }
  // Options that are wrong are errors of the configuration, so they are tried out now.
  if (context.problems != nullptr) {
    for (const auto& [at, why] : kafka_connection_problems(params)) problems.add(*at, why);
  } else if (auto conf = kafka_conf(settings.connection, {}); !conf && problems.empty()) {
    return conf.error().at("from");
  }
  if (problems.done()) return problems.result<Source>();
  return make_kafka_source(std::move(settings), context);
}

}  // namespace

void register_kafka(SourceRegistry& registry) {
  Descriptor d;
  d.name = "kafka";
  d.summary = "Reads Kafka topics as a member of a consumer group.";
  d.applies_to = "stream";
  d.params = kafka_connection_params();
  d.params.push_back({.name = "topics",
                      .type = ParamType::kTextList,
                      .sentence = "Names of the topics; their order numbers the partitions, so append new ones",
                      .required = true});
  d.params.push_back(
      {.name = "group", .type = ParamType::kText, .sentence = "Consumer group; replicas of one driftd share it", .default_text = "driftd"});
  d.params.push_back({.name = "start",
                      .type = ParamType::kChoice,
                      .sentence = "Where a partition begins that driftd has no position of",
                      .default_text = "earliest",
                      .choices = {"earliest", "latest"}});
  d.params.push_back({.name = "instance_id",
                      .type = ParamType::kText,
                      .sentence = "Static membership: a restart within the session timeout moves no partitions; one "
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
      "were read (retention) are logged and counted in driftd_source_gaps_total and "
      "driftd_source_lost_records_total. Options that "
      "driftd needs as "
      "they are are refused: group.id, group.instance.id, enable.auto.offset.store, "
      "enable.auto.commit, auto.offset.reset, enable.partition.eof, transactional.id.";
  registry.add(std::move(d), make);
}

}  // namespace driftd::ingest

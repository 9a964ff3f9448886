#include "ingest/kafka_consumer_options.h"

namespace driftd::ingest {

TextPairs consumer_options(const KafkaSettings& settings) {
  TextPairs options = {
      {"group.id", settings.group},
      {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},
      {"partition.assignment.strategy", "cooperative-sticky"},
      {"isolation.level", "read_committed"},
      {"auto.offset.reset", "error"},    // a gap must be counted, not jumped over in silence
      {"enable.partition.eof", "true"},  // transactions' marks are no records, so positions do not say where the end is
      {"check.crcs", "true"},
      {"statistics.interval.ms", "1000"},
      {"topic.metadata.refresh.interval.ms", "30000"},  // a topic made later is found
      {"fetch.wait.max.ms", "100"},                     // a request for partitions at their end holds up the others
      {"queued.min.messages", "200000"},
      {"queued.max.messages.kbytes", "65536"},
  };
  if (!settings.instance_id.empty()) options.emplace_back("group.instance.id", settings.instance_id);
  return options;
}

}  // namespace driftd::ingest

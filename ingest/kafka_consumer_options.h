// What driftd sets in the Kafka source's consumer; the connection's own options win over it.
#pragma once

#include "ingest/kafka_source.h"

namespace driftd::ingest {

TextPairs consumer_options(const KafkaSettings& settings);

}  // namespace driftd::ingest

// Sending quarantined records on again, for `driftd quarantine replay --to`.
#pragma once

#include <string>
#include <vector>

#include "app/engine/plan.h"
#include "core/result.h"
#include "ingest/quarantine_reader.h"

namespace driftd::app {

// To the HTTP interface of a running driftd, as JSON arrays of at most 1000 records or 1 MiB; what it has
// answered 200 for is in its journal. Waits and tries again on 429 and 503, at most ten times.
Status send_to_driftd(const std::string& url, const StreamConfig& stream, const std::vector<ingest::QuarantinedRecord>& records,
                      std::size_t& sent);

// To a Kafka topic, with the brokers and options of the stream's source; with their keys as the
// quarantine has them (text, 256 bytes). Every broker acknowledgement has come when it returns Ok.
Status send_to_kafka(const std::string& topic, const StreamConfig& stream, const std::vector<ingest::QuarantinedRecord>& records,
                     std::size_t& sent);

}  // namespace driftd::app

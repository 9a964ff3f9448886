// Sending quarantined records on again, for `driftd quarantine replay --to`.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "app/engine/plan.h"
#include "core/result.h"
#include "ingest/quarantine_reader.h"

namespace driftd::app {

// Called for each batch with the places of the records that have arrived for certain, also when others of it have
// not. After an Error nothing more is sent.
using OnSent = std::function<Status(const std::vector<std::size_t>& which)>;

// To the HTTP interface of a running driftd, as JSON arrays of at most 1000 records or 1 MiB; what it has
// answered 200 for is in its journal. Waits and tries again on 429 and 503, at most ten times.
Status send_to_driftd(const std::string& url, const StreamConfig& stream, const std::vector<ingest::QuarantinedRecord>& records,
                      const OnSent& on_sent);

// To a Kafka topic, with the brokers and options of the stream's source; with their keys as the
// quarantine has them (text, 256 bytes). A batch is 1000 records.
Status send_to_kafka(const std::string& topic, const StreamConfig& stream, const std::vector<ingest::QuarantinedRecord>& records,
                     const OnSent& on_sent);

}  // namespace driftd::app

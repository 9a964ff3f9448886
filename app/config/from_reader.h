// `streams.S.from`: the source with its parameters, and what it says about fields and decoding.
#pragma once

#include "app/engine/plan.h"
#include "core/node.h"

namespace driftd::app {

void read_from(const Node& node, StreamConfig& stream, ErrorList& errors);

// `from: mqtt: topic_fields: "_/site/_"` gives the field `site` the path @topic/2. Call when the
// fields are read. True when there was something to do: it changes what records say.
bool read_topic_fields(StreamConfig& stream, ErrorList& errors);

// A file of CSV rows is cut into rows by the source and into cells by the decoder, so both must go by
// the same separator and quote: the source takes those of `decode` where it has none, and others are
// refused. Call when `decode` is read.
void agree_on_csv(const Node& from, StreamConfig& stream, ErrorList& errors);

// Streams that would take each other's records: one MQTT client_id throws the other out of the broker,
// and members of one Kafka group share a topic's partitions between them. `node` is `streams:`.
void refuse_rivals(const std::vector<StreamConfig>& streams, const Node& node, ErrorList& errors);

}  // namespace driftd::app

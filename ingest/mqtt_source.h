// The MQTT source behind ingest/sources/mqtt.cc: connection, session, journal, redeliveries.
#pragma once

#include <memory>

#include "ingest/journal.h"
#include "ingest/mqtt_client.h"
#include "ingest/source.h"

namespace driftd::ingest {

// The smallest journal (service.limits.journal) that has room for all that one write may bring: a group of
// messages, and one as large as messages of `max_record` can be with their topic.
std::uint64_t smallest_mqtt_journal(std::size_t max_record);

std::unique_ptr<Source> make_mqtt_source(MqttSettings settings, JournalOptions journal, const SourceContext& context);

}  // namespace driftd::ingest

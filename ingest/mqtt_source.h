// The MQTT source behind ingest/sources/mqtt.cc: connection, session, journal, redeliveries.
#pragma once

#include <memory>

#include "ingest/journal.h"
#include "ingest/mqtt_client.h"
#include "ingest/source.h"

namespace driftd::ingest {

std::unique_ptr<Source> make_mqtt_source(MqttSettings settings, JournalOptions journal, const SourceContext& context);

}  // namespace driftd::ingest

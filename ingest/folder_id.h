// The name of a stream's own folder, by which a Kafka group knows driftd's state from that of others.
#pragma once

#include <string>

#include "core/result.h"

namespace driftd::ingest {

// 16 hex digits, the same for the life of the folder: made by chance and kept in its file folder.id, so that
// replicas never share one. It is part of a gate's transactional.id, so that a restart ends what the process
// before left open (when the file is lost, that ends by the transaction's time-out), and stands in the
// metadata of committed offsets, so that driftd knows its own from those of others (KafkaPositions).
Result<std::string> folder_id(const std::string& folder);

}  // namespace driftd::ingest

// The transactional.id of a stream's gate, when none is configured.
#pragma once

#include <string>

#include "core/result.h"

namespace driftd::ingest {

// "driftd-STREAM-0123456789abcdef", the same for the life of the folder: made by chance and kept in
// its file gate.id, so that replicas never share one and a restart ends what the process before left
// open. When the file is lost, what was left open ends by the transaction's time-out.
Result<std::string> gate_id(const std::string& folder, const std::string& stream);

}  // namespace driftd::ingest

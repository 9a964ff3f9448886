// What stands beside the offsets that driftd commits to a Kafka group: whose they are, and with those of a gate the mark of the record
// before them, by which an offset of this topic is told from one of a topic that had its name before. Text, for people too.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/record_mark.h"

namespace driftd::ingest {

struct GroupMetadata {
  std::string by;                  // folder_id; what is not driftd's is here as it is
  std::optional<RecordMark> mark;  // of the newest record before the offset

  std::string text() const;
  static GroupMetadata read(std::string_view text);
};

}  // namespace driftd::ingest

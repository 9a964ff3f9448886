// PartitionOutput: what a partition hands over when one of its base windows closes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/engine/editions.h"

namespace driftd::app {

// The partition's part of one wider segment in one base window.
struct WidePart {
  std::uint32_t level = 0;  // index in windows.by
  std::string value;        // of the segment field; empty for the stream
  stats::Block block;
};

struct PartitionOutput {
  std::uint32_t partition = 0;
  Time start = kNoTime;  // of the base window; kNoTime: progress only
  Time end = kNoTime;
  Time closed_until = kNoTime;    // every base window of the partition that ends by then is closed
  Time warm_from = kNoTime;       // windows that start before it are partial (PartitionEngine::warm_up)
  std::vector<Finding> findings;  // on sensors and records
  std::vector<WidePart> parts;
  std::vector<std::uint64_t> judged;  // sensors that had a window (segment_id)
  std::uint64_t late = 0;             // records that came too late since the output before
  const char* closed_by = "";         // "", "idle", "end"

  std::size_t memory() const;  // bytes, about
  void save(ByteWriter& out) const;
  Status load(ByteReader& in, Editions& editions);
};

class OutputSink {
 public:
  virtual ~OutputSink() = default;
  virtual void take(PartitionOutput output) = 0;
};

}  // namespace driftd::app

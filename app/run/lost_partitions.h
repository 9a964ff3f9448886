// LostPartitions: how far partitions had come that went and are not in a checkpoint so far.
//
// They go on from a checkpoint before that, with the same findings, which are passed over. Judged by other checks they would not be the
// same, so a reload that changes these waits until they have come as far again (Service::stop_to_change). It outlives runtimes of
// streams that are started anew, and not the process. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>

namespace driftd::app {

class LostPartitions {
 public:
  // It was at `position`, the next one to be read, or further before.
  void lost(const std::string& stream, std::uint32_t partition, std::int64_t position);
  // It is at `position` in a checkpoint.
  void saved(const std::string& stream, std::uint32_t partition, std::int64_t position);
  // Its numbers are of another log from now on.
  void forget(const std::string& stream, std::uint32_t partition);
  // These are the stream's now; any other that was lost is somebody else's.
  void assigned(const std::string& stream, const std::set<std::uint32_t>& partitions);
  // The stream is gone.
  void forget(const std::string& stream);
  // Why the stream is not as far as it was; empty: it is.
  std::string why_behind(const std::string& stream) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::map<std::uint32_t, std::int64_t>> by_stream_;
};

}  // namespace driftd::app

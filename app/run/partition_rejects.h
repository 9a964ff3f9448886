// PartitionRejects: counts and quarantines what the decoder of one partition could not take.
//
// One object a partition, used by its worker only; the quarantine behind it is shared and locks.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/reject.h"

namespace driftd::app {

class PartitionRejects final : public RejectSink {
 public:
  static constexpr std::size_t kMaxNames = 256;                // more names than this are not told apart
  static constexpr std::string_view kOtherNames = "(others)";  // stands for them

  using OnReject = std::function<void(const RawRecord&, RejectReason, std::string_view detail)>;
  // Once a name, as it stands in metrics (exporters/prometheus.h: 256 bytes at most); over the bound once kOtherNames.
  using OnExtra = std::function<void(std::string_view name)>;

  PartitionRejects(OnReject on_reject, OnExtra on_extra)
      : on_reject_(std::move(on_reject)), on_extra_(std::move(on_extra)), seen_(kSlots, 0) {}

  void reject(const RawRecord& record, RejectReason reason, std::string_view detail) override {
    ++count_;
    on_reject_(record, reason, detail);
  }
  void extra_field(std::string_view name) override;

  std::uint64_t count() const { return count_; }

 private:
  static constexpr std::size_t kSlots = 512;  // power of two

  OnReject on_reject_;
  OnExtra on_extra_;
  std::uint64_t count_ = 0;
  std::size_t names_ = 0;
  bool over_ = false;
  std::vector<std::uint64_t> seen_;  // hashes of names, open addressing
};

}  // namespace driftd::app

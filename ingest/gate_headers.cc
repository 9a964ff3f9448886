#include "ingest/gate_headers.h"

namespace driftd::ingest {

void gate_headers(std::string_view stream, std::string_view topic, std::int32_t partition, std::int64_t offset, std::string_view reference,
                  const GateMark* mark, std::string_view refused, GateHeaders& out) {
  out.position.assign(topic);
  out.position += '/';
  out.position += std::to_string(partition);
  out.position += '/';
  out.position += std::to_string(offset);
  out.all.clear();
  const auto add = [&](const char* name, std::string_view value) {
    if (!value.empty()) out.all.emplace_back(name, value);
  };
  add("driftd-verdict", mark == nullptr ? "valid" : mark->rejected ? "reject" : "invalid");
  add("driftd-stream", stream);
  add("driftd-position", out.position);
  add("driftd-reference", reference);
  add("driftd-refused", refused);
  if (mark == nullptr) return;
  add("driftd-check", mark->check);
  add("driftd-field", mark->field);
  add("driftd-reason", mark->reason);
  add("driftd-detail", mark->detail);
  add("driftd-checks", mark->checks);
}

}  // namespace driftd::ingest

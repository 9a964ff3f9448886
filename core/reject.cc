#include "core/reject.h"

#include <array>

namespace driftd {
namespace {
struct Row {
  const char* word;
  const char* meaning;
};
constexpr std::array<Row, kRejectReasons> kRows = {{
#define X(name, word, meaning) {word, meaning},
    DRIFTD_REJECT_REASONS(X)
#undef X
}};
}  // namespace

const char* to_string(RejectReason reason) { return kRows[static_cast<std::size_t>(reason)].word; }
const char* reject_meaning(RejectReason reason) { return kRows[static_cast<std::size_t>(reason)].meaning; }

}  // namespace driftd

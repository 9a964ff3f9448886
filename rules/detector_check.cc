#include "rules/detector_check.h"

namespace driftd::rules {

void register_detector_checks(CheckRegistry&) {}

}  // namespace driftd::rules

// Every registered detector as a check, so that a detector needs no second file.
#pragma once

#include "rules/check.h"

namespace driftd::rules {

void register_detector_checks(CheckRegistry& registry);

}  // namespace driftd::rules

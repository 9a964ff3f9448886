// The configuration's JSON Schema (draft 2020-12), made from the same tables that validate it.
#pragma once

#include <string>

namespace driftd::app {

std::string json_schema();

}  // namespace driftd::app

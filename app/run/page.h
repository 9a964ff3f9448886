// The page at "/": one self-contained document that shows what the API says.
#pragma once

namespace driftd::app {

extern const char* const kPage;

}  // namespace driftd::app

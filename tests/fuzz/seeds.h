// Seeds of the binary formats, as this build writes them: a change of a format changes its seeds, and none
// of them rots in the corpus.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace driftd::fuzz {

// By target. Valid inputs that the targets take apart and put together again.
std::map<std::string, std::vector<std::string>> seeds();

}  // namespace driftd::fuzz

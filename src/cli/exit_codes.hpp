// What the program's exit codes mean (api.md, "CLI"). Scripts depend on them.
#pragma once

namespace davit::cli {

inline constexpr int kConverged = 0;
inline constexpr int kRefused = 1;
inline constexpr int kUsage = 2;
inline constexpr int kNotConverged = 3;  // or rolled back, or paused
inline constexpr int kUnreachable = 4;
inline constexpr int kInterrupted = 130;  // Ctrl-C ended the watching, and nothing else

}  // namespace davit::cli

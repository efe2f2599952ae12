import CKernels
import Foundation

/// The processor that computes, and which kernels it computes with: what bits and times depend on.
public struct Machine: Sendable, Codable {
  /// Name, family and model, as the operating system has them.
  public let processor: String
  /// Processors that this process may use, and so the default number of threads.
  public let processors: Int
  /// The instruction set of Hatchling's own kernels: `avx512-vnni`, `avx512`, `avx2` or `plain`.
  public let kernels: String
  public let blas: BLAS.Core
  /// What would make it faster; a sentence each.
  public let advice: [String]

  /// What ``kernels`` is here, without a look at the processor's name.
  public static let kernelName = String(cString: hatchling_kernel_name())

  /// The bytes of the path of the program that runs, links followed; nil where it cannot be told. Asked of /proc, which is not
  /// everywhere, and else of what the system was told to start.
  public static var executablePath: [UInt8]? {
    guard let path = realpath("/proc/self/exe", nil) ?? hatchling_executable().flatMap({ realpath($0, nil) })
    else { return nil }
    defer { free(path) }
    return Array(UnsafeRawBufferPointer(start: path, count: strlen(path)))
  }

  public static let current: Machine = {
    let (kernels, blas) = (kernelName, BLAS.core)
    let wish = ProcessInfo.processInfo.environment["HATCHLING_KERNELS"]
    return Machine(
      processor: processorName(), processors: ProcessInfo.processInfo.activeProcessorCount, kernels: kernels,
      blas: blas, advice: advice(blas, kernels: kernels, wish: wish))
  }()

  static func advice(_ blas: BLAS.Core, kernels: String, wish: String?) -> [String] {
    var advice: [String] = []
    if let refused = blas.refused, let fault = blas.fault {
      advice.append("OpenBLAS's core \(refused) \(fault.rawValue); \(blas.name) is used")
    }
    if let better = blas.better {
      let remedy =
        switch blas.chosenBy {
        case .coreType, .forced: "without \(blas.chosenBy.rawValue) Hatchling takes it"
        case .openBLAS, .features: "a newer OpenBLAS may have it"
        }
      advice.append("the processor can do more than core \(blas.name): \(better); \(remedy)")
    }
    if let wish, wish == kernels {
      advice.append(
        "HATCHLING_KERNELS=\(wish) is set; without it the best kernels of the processor are taken")
    }
    return advice
  }

  private static func processorName() -> String {
    let information = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    func field(_ name: String) -> String? {
      information.split(separator: "\n").first { $0.hasPrefix(name + "\t") }?.split(separator: ":").last
        .map { $0.trimmingCharacters(in: .whitespaces) }
    }
    let details = ["cpu family", "model"].compactMap { name in field(name).map { "\(name) \($0)" } }
    return ([field("model name") ?? "unknown processor"] + details).joined(separator: ", ")
  }

  /// One line: the processor and all that its bits depend on.
  public var summary: String {
    "\(processor); OpenBLAS core \(blas.name), kernels \(kernels)"
  }
}

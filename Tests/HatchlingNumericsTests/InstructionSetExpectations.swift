import CKernels
import HatchlingNumerics
import TestSupport
import Testing

/// Several results of one run, put together, in every instruction set, within `ulps` of their largest.
func expectSets<Scalar: NetworkScalar>(
  _ what: String, _ expected: [Double], ulps: Double = 64, _ run: () -> [Scalar]
) {
  defer { takeBestKernels() }
  var vectors: [Scalar]?
  let tolerance = ulps * Double(Scalar.ulpOfOne)
  for set in instructionSets {
    #expect(hatchling_use_kernels(set) == 1)
    let got = run()
    #expect(relativeDifference(got.map { Double($0) }, expected) <= tolerance, "\(what), \(set)")
    guard set != "plain" else { continue }
    #expect(got == vectors ?? got, "\(what): \(set) has other bits")
    vectors = got
  }
}

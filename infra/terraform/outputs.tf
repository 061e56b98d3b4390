output "url" {
  description = "Where orders are placed."
  value       = local.shop_url
}

output "address" {
  description = "Where the A record of the domain must lead."
  value       = one(google_compute_global_address.site[*].address)
}

output "urls" {
  description = "Where each service answers."
  value       = local.urls
}

output "build_region" {
  description = "Where the image is built."
  value       = local.build_region

  # An apply with -target writes only outputs that depend on what it makes, and the build needs this one after the ground.
  depends_on = [google_storage_bucket.source]
}

output "repository" {
  description = "Where the images are kept: what an image is called without its tag."
  value       = "${var.region}-docker.pkg.dev/${var.project}/${google_artifact_registry_repository.images.repository_id}/order-saga"
}

output "function_environments" {
  description = "The environment of each service that reads messages, as its function needs it."
  value       = { for service in local.readers : service => merge(local.environments[service], local.pushed_environment) }
}

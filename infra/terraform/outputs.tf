output "url" {
  description = "Where orders are placed."
  value       = local.urls.frontend
}

output "urls" {
  description = "Where each service answers."
  value       = local.urls
}

output "image" {
  description = "What Cloud Build names the image."
  value       = "${var.region}-docker.pkg.dev/${var.project}/${google_artifact_registry_repository.images.repository_id}/order-saga:${var.image_tag}"
}
